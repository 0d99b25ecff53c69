import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@gatehouse/testing';
import { Barrier } from '../lib/effects.js';
import { isGood, Load, quantile } from '../lib/load.js';
import { pidOfConnection } from '../lib/processes.js';

/** The least that a Kafka broker takes. */
const SESSION_MS = 6_000;

/** SIGSTOP: the process is there, holds its connections and leases, and does nothing. */
export const stopped = [
  {
    name: 'service-stopped',
    title: 'SIGSTOP of one of two instances of identity for a minute',
    criterion: 'outlier ejected; p99 of other routes unmoved; no retry storm',
    async run(stage) {
      const { platform, cast } = await stage.open({ instances: { identity: 2 } });
      const gateway = platform.adminUrlOf('gateway');
      const url = platform.httpUrlOf('identity', 0);
      const others = new Load({
        rate: 10,
        journey: (send) => send('other', cast.administrator, { path: '/v1/roles?page_size=1' }),
      }).start();
      await sleep(stage.seconds(5, 15) * 1_000);
      await stage.underLoad(async () => {
        const from = performance.now();
        const sentBefore = await attempts(gateway);
        await platform.kill('identity', 'SIGSTOP', 0);
        const ejected = await eventually(
          async () => {
            const breaker = (await breakersOf(gateway)).find((each) => each.url === url);
            // Out of rotation is as good: the lease of one that sleeps runs out.
            return breaker === undefined || breaker.state === 'open';
          },
          { timeoutMs: 30_000, intervalMs: 100 },
        ).then(() => performance.now() - from);
        stage.note(`ejected, or out of the registry, after ${(ejected / 1_000).toFixed(1)} s`);
        const settled = performance.now();
        await sleep(stage.seconds(12, 60) * 1_000 - ejected);
        const asked = stage.samplesFrom(from).filter(({ name }) => IDENTITY.includes(name));
        const tried = (await attempts(gateway)) - sentBefore;
        const ratio = tried / Math.max(1, asked.length);
        stage.expect('no retry storm', ratio <= 1.5, `${tried} tries for ${asked.length} requests`);
        const after = stage.samplesFrom(settled + 1_000);
        const share = after.filter(isGood).length / after.length;
        stage.expect(
          'once it is out, at least 99 of 100 requests are well',
          share >= 0.99,
          `${(share * 100).toFixed(1)} %`,
        );
        const p99 = (some) =>
          quantile(
            some.map(({ took }) => took),
            0.99,
          );
        const before = p99(others.samples.filter(({ at }) => at < from));
        const during = p99(others.samples.filter(({ at }) => at >= from));
        stage.expect(
          'the p99 of other routes is unmoved (at most doubled, or 100 ms more)',
          during <= Math.max(2 * before, before + 100),
          `${Math.round(before)} ms before, ${Math.round(during)} ms during`,
        );
        stage.note(
          `p99 of another route: ${Math.round(before)} ms before, ${Math.round(during)} ms during`,
        );
        await platform.kill('identity', 'SIGCONT', 0);
        stage.faultEnds();
        await stage.untilSteady(10_000);
      });
      await others.stop();
    },
  },
  {
    name: 'consumer-stopped',
    title: 'SIGSTOP of a consumer beyond its session as it commits, then SIGCONT',
    criterion: 'the stale owner applies nothing twice',
    async run(stage) {
      const { platform } = await stage.open({
        instances: { auth: 2 },
        envOf: { auth: { EVENT_SESSION_MS: String(SESSION_MS) } },
      });
      await stage.underLoad(async () => {
        for (let round = 0; round < stage.seconds(1, 3); round++) {
          const barrier = await Barrier.raise(
            platform,
            'auth.credentials',
            `CREATE CONSTRAINT TRIGGER chaos_hold AFTER UPDATE ON auth.credentials DEFERRABLE INITIALLY DEFERRED
               FOR EACH ROW WHEN (NEW.disabled AND NOT NEW.deleted) EXECUTE FUNCTION chaos.hold()`,
          );
          const held = await eventually(
            async () => {
              const pids = await barrier.held();
              return pids.length > 0 && pids;
            },
            { timeoutMs: 60_000 },
          );
          const owner = await ownerOf(platform, held[0]);
          await platform.kill('auth', 'SIGSTOP', owner);
          // Its COMMIT was sent: it goes through, and the process that asked for it does not hear of that.
          await barrier.release();
          await sleep(2 * SESSION_MS + 2_000);
          await platform.kill('auth', 'SIGCONT', owner);
          await sleep(SESSION_MS);
        }
        stage.faultEnds();
        await stage.untilSteady(10_000);
      });
    },
  },
];

/** Which instance of auth holds a connection of PostgreSQL. */
async function ownerOf(platform, backend) {
  const [{ client_port: port }] = await platform.database('public')(
    'SELECT client_port FROM pg_stat_activity WHERE pid = $1',
    [backend],
  );
  const pids = [0, 1].map((index) => platform.instance('auth', index).pid);
  const pid = pidOfConnection(port, pids);
  if (pid === undefined) throw new Error(`no instance of auth has a connection from port ${port}`);
  return pids.indexOf(pid);
}

const IDENTITY = ['read', 'create', 'update', 'delete', 'deactivate'];

async function breakersOf(gateway) {
  const { breakers } = await (await fetch(`${gateway}/breakers`)).json();
  return breakers.filter(({ service }) => service === 'identity');
}

/** Requests the gateway has sent to instances of identity that it knows. */
async function attempts(gateway) {
  return (await breakersOf(gateway)).reduce((sum, { sent }) => sum + sent, 0);
}
