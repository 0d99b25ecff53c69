import { randomUUID } from 'node:crypto';
import { eventually } from '@gatehouse/testing';

const SOON = { timeoutMs: 20_000, intervalMs: 100 };
const HANDLER_TIMEOUT_MS = 1_500;

export const poison = [
  {
    name: 'poison-event',
    title: 'events that cannot be read, that throw TypeError, that never end',
    criterion:
      'in the dead letters, the key parked, other keys advance; a dead consumer turns liveness red',
    short: true,
    async run(stage) {
      const { platform, cast, wire } = await stage.open({
        env: { EVENT_MAX_ATTEMPTS: '3', EVENT_RETRY_BASE_MS: '50' },
        envOf: { auth: { EVENT_HANDLER_TIMEOUT_MS: String(HANDLER_TIMEOUT_MS) } },
      });
      const sessions = platform.database('auth');
      const inForce = async ({ sessionId }) =>
        (await sessions('SELECT revoked_at FROM sessions WHERE id = $1', [sessionId]))[0]
          ?.revoked_at === null;
      const users = [];
      for (let n = 0; n < 4; n++) users.push(await platform.registerAndLogin());
      const [unreadable, throwing, other, stuck] = users;

      await stage.underLoad(async () => {
        await wire.produce(
          'identity',
          'identity.user',
          unreadable.userId,
          'neither JSON nor an event',
        );
        await wire.produce(
          'identity',
          'identity.user',
          throwing.userId,
          withoutData(throwing.userId),
        );
        // Every consumer of the topic stumbles over what nobody can read; the other is one handler's alone.
        const letters = await eventually(async () => {
          const found = await lettersOf(cast, ['auth', 'authz']);
          return found.length >= 3 && found;
        }, SOON);
        stage.expect(
          'one that throws TypeError is in the dead letters with its reason',
          letters.some(
            ({ key, reason }) =>
              key === throwing.userId && /TypeError/.test(JSON.stringify(reason)),
          ),
          JSON.stringify(letters),
        );
        for (const user of [unreadable, throwing, other]) await deactivate(stage, user);
        await eventually(async () => !(await inForce(other)), SOON);
        const parked = await Promise.all([inForce(unreadable), inForce(throwing)]);
        stage.expect(
          'other keys advance, theirs are parked',
          parked.every(Boolean),
          JSON.stringify(parked),
        );

        for (const { service, id } of letters) {
          const { status } = await cast.administrator.delete(`/v1/${service}/dead-letters/${id}`);
          if (status !== 204)
            throw new Error(`discarding ${id} of ${service} was answered ${status}`);
        }
        await eventually(
          async () => !(await inForce(unreadable)) && !(await inForce(throwing)),
          SOON,
        );
        stage.expect('discarded, they let the events behind them pass', true);

        const alive = async () =>
          (await fetch(`${platform.adminUrlOf('auth')}/health/live`)).status === 200;
        stage.expect('auth is alive before', await alive());
        const lock = await platform.session();
        await lock.query('BEGIN');
        await lock.query('SELECT FROM auth.credentials WHERE user_id = $1 FOR UPDATE', [
          stuck.userId,
        ]);
        await deactivate(stage, stuck);
        await eventually(async () => !(await alive()), SOON);
        stage.expect('a consumer whose handler never ends turns liveness red', true);
        await lock.query('ROLLBACK');
        await lock.end();
        await eventually(alive, SOON);
        await eventually(async () => !(await inForce(stuck)), SOON);
        stage.faultEnds();
        await stage.untilSteady(2_000);
      });
    },
  },
];

async function deactivate(stage, { userId, sessionId }) {
  const { ok, status } = await stage.load.send('deactivate', stage.cast.administrator, {
    method: 'POST',
    path: `/v1/users/${userId}/deactivate`,
  });
  if (!ok) throw new Error(`the deactivation was answered ${status}`);
  stage.ledger.deactivated(userId, sessionId);
}

async function lettersOf(cast, services) {
  const found = await Promise.all(
    services.map(async (service) => {
      const { status, body } = await cast.administrator.get(`/v1/${service}/dead-letters`);
      if (status !== 200) throw new Error(`the dead letters of ${service} were answered ${status}`);
      return body.items.map((letter) => ({ ...letter, service }));
    }),
  );
  return found.flat();
}

/** An event by its envelope, whose handler finds nothing where it reads. */
function withoutData(userId) {
  return JSON.stringify({
    specversion: '1.0',
    id: `chaos-${randomUUID()}`,
    source: 'identity',
    type: 'identity.user.deactivated.v1',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    dataschema: 'urn:chaos',
    partitionkey: userId,
    sequence: 1_000_000,
    data: null,
  });
}
