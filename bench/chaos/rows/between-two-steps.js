import { eventually } from '@gatehouse/testing';
import { Barrier } from '../lib/effects.js';

const PATIENCE = { timeoutMs: 30_000, intervalMs: 50 };
const READY_WITHIN_MS = 10_000;
const COUNT = `SELECT count(*)::int AS n FROM effects WHERE kind = 'disabled'`;

/** kill -9 at the worst moment, which a barrier in the database makes certain instead of likely. */
export const betweenTwoSteps = [
  {
    name: 'relay-killed',
    title: 'kill -9 of a relay between publishing and marking as published',
    criterion: 'duplicates on the wire, none in effect',
    short: true,
    async run(stage) {
      const { platform } = await stage.open();
      await stage.underLoad(async () => {
        const barrier = await Barrier.raise(
          platform,
          'identity.outbox',
          `CREATE TRIGGER chaos_hold BEFORE DELETE ON identity.outbox
             FOR EACH ROW WHEN (OLD.channel = 'events') EXECUTE FUNCTION chaos.hold()`,
        );
        await eventually(async () => (await barrier.held()).length > 0, PATIENCE);
        await platform.kill('identity');
        await barrier.endConnectionsOf('identity');
        await barrier.release();
        await platform.restart('identity');
        stage.faultEnds();
        await stage.untilSteady(READY_WITHIN_MS);
      });
      await stage.settle();
      const { repeats } = stage.found;
      stage.expect('the relay sent again what it had sent', repeats > 0, 'nothing was sent twice');
      stage.note(`${repeats} events were sent twice`);
    },
  },
  {
    name: 'consumer-killed',
    title: 'kill -9 of a consumer between effect and commit',
    criterion: 'the event is delivered again, and takes effect once',
    short: true,
    async run(stage) {
      const { platform } = await stage.open();
      const effects = platform.database('chaos');
      await stage.underLoad(async () => {
        const barrier = await Barrier.raise(
          platform,
          'auth.credentials',
          // Deferred: it runs as the transaction commits, when everything else of it is done.
          `CREATE CONSTRAINT TRIGGER chaos_hold AFTER UPDATE ON auth.credentials DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW WHEN (NEW.disabled AND NOT NEW.deleted) EXECUTE FUNCTION chaos.hold()`,
        );
        await eventually(async () => (await barrier.held()).length > 0, PATIENCE);
        const [before] = await effects(COUNT);
        await platform.kill('auth');
        await barrier.endConnectionsOf('auth');
        await barrier.release();
        const [after] = await effects(COUNT);
        stage.expect(
          'the effect under way was undone',
          after.n === before.n,
          `${after.n - before.n} effects were committed by a process that was killed before`,
        );
        await platform.restart('auth');
        stage.faultEnds();
        await stage.untilSteady(READY_WITHIN_MS);
      });
    },
  },
];
