import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventually } from '@gatehouse/testing';
import { describePlatforms, type Login, type TestPlatform } from '@gatehouse/testing-platform';
import { Administrators } from './support/administrators.ts';
import { Diagnostics } from './support/diagnostics.ts';
import { eventsOfType } from './support/event-log.ts';
import { Load, type Sent, statusOf } from './support/load.ts';

jest.setTimeout(180_000);

const READERS = 4;
const WRITERS = 4;
/** Who write in turns, and the pause of a writer, in milliseconds: no principal comes to the limit of its own. */
const PRINCIPALS = 12;
const PAUSE_MS = 100;

interface Write {
  status: number | string;
  email: string;
  /** Of an acknowledged one. */
  id?: string;
}

describePlatforms((start) => {
  describe('two instances of identity', () => {
    let platform: TestPlatform;
    let administrator: Login;
    let writing: Administrators;
    let diagnostics: Diagnostics;
    beforeAll(async () => {
      platform = await start({
        instances: { identity: 2 },
        env: { LOG_LEVEL: 'warn' },
        envOf: {
          // A load from one address and one principal must meet no limit but that of the machine.
          gateway: { GATEWAY_ADDRESS_LIMIT: '1000000', GATEWAY_PRINCIPAL_LIMIT: '1000000' },
        },
      });
      administrator = await platform.loginAsAdministrator();
      writing = await Administrators.make(platform, PRINCIPALS);
      diagnostics = new Diagnostics(platform.adminUrlOf('gateway'));
    });
    afterAll(() => platform.stop());

    const breakerOf = async (url: string) =>
      (await diagnostics.breakers('identity')).find((breaker) => breaker.url === url);

    /** Reads are idempotent; creating a user is not, and has no Idempotency-Key here. */
    const startLoad = () => {
      const { client } = administrator;
      const reads = new Load(READERS, () => statusOf(client.get('/v1/users/me')));
      const writes = new Load<Write>(
        WRITERS,
        async () => {
          const email = `load-${randomUUID()}@example.com`;
          let id: string | undefined;
          const status = await statusOf(
            client
              .as(writing.nextToken)
              .post<{ id: string }>('/v1/users', { email, display_name: 'Load' })
              .then((answer) => {
                if (answer.status === 201) id = answer.body.id;
                return answer;
              }),
          );
          return { status, email, ...(id !== undefined && { id }) };
        },
        PAUSE_MS,
      );
      const { email, password } = platform.administrator;
      const logins = new Load(1, () =>
        statusOf(platform.client().post('/v1/auth/login', { email, password })),
      );
      return {
        /** Until both instances have had their part of at least so many requests more. */
        flows: async (requests: number) => {
          const from = reads.done.length + writes.done.length;
          await eventually(() => reads.done.length + writes.done.length >= from + requests, {
            timeoutMs: 30_000,
          });
        },
        stop: async () => {
          const [read, written, loggedIn] = await Promise.all([
            reads.stop(),
            writes.stop(),
            logins.stop(),
          ]);
          return { read, written, loggedIn };
        },
      };
    };
    const failed = <T>(sent: Sent<T>[], good: (result: T) => boolean) =>
      sent.filter(({ result }) => !good(result));

    /** Every acknowledged user is there, once; so are its event and its audit entry. */
    const expectNothingLost = async (written: Sent<Write>[]) => {
      const ids = written.flatMap(({ result: { id } }) => (id === undefined ? [] : [id]));
      expect(ids.length).toBeGreaterThan(0);
      const users = await platform.database('identity')<{ id: string }>(
        'SELECT id FROM users WHERE id = ANY ($1)',
        [ids],
      );
      expect(users).toHaveLength(ids.length);
      await eventually(
        async () => {
          const events = await eventsOfType(platform, 'identity.user.created.v1');
          const told = new Set(events.map(({ partitionkey }) => partitionkey));
          // On the wire at least once: a relay that is killed between sending and deleting sends again.
          expect(ids.filter((id) => !told.has(id))).toEqual([]);
          const [entries] = await platform.database('audit')<{ n: number; different: number }>(
            `SELECT count(*)::int AS n, count(DISTINCT target_id)::int AS different FROM entries
           WHERE target_id = ANY ($1) AND action = 'identity.user.create'`,
            [ids],
          );
          expect(entries).toEqual({ n: ids.length, different: ids.length });
        },
        { timeoutMs: 30_000, intervalMs: 200 },
      );
    };

    it('share the load', async () => {
      const load = startLoad();
      await load.flows(200);
      const { read, written, loggedIn } = await load.stop();
      expect(failed(read, (status) => status === 200)).toEqual([]);
      expect(failed(written, ({ status }) => status === 201)).toEqual([]);
      expect(failed(loggedIn, (status) => status === 200)).toEqual([]);
      const shares = (await diagnostics.breakers('identity')).map(({ sent }) => sent);
      expect(shares).toHaveLength(2);
      const [less = 0, more = 0] = shares.sort((a, b) => a - b);
      expect(less / (less + more)).toBeGreaterThan(0.2);
    });

    it('one killed under load: nothing acknowledged is lost, only writes in flight on it fail', async () => {
      const load = startLoad();
      await load.flows(100);
      const signalled = performance.now();
      await platform.kill('identity', 'SIGKILL', 0);
      const gone = performance.now();
      await load.flows(300);
      const { read, written, loggedIn } = await load.stop();

      expect(failed(read, (status) => status === 200)).toEqual([]);
      expect(failed(loggedIn, (status) => status === 200)).toEqual([]);
      const lost = failed(written, ({ status }) => status === 201);
      const inFlight = written.filter(({ from, until }) => from <= gone && until >= signalled);
      expect(lost.length).toBeLessThanOrEqual(inFlight.length);
      for (const each of lost) {
        expect(each.result.status).toBe(502);
        expect(inFlight).toContain(each);
      }
      await expectNothingLost(written);
    });

    it('the same one, started again, takes its part', async () => {
      await platform.restart('identity', 0);
      const url = platform.httpUrlOf('identity', 0);
      await eventually(async () => (await breakerOf(url)) !== undefined);
      const load = startLoad();
      await eventually(async () => ((await breakerOf(url))?.sent ?? 0) > 20, { timeoutMs: 10_000 });
      const { read, written } = await load.stop();
      expect(failed(read, (status) => status === 200)).toEqual([]);
      expect(failed(written, ({ status }) => status === 201)).toEqual([]);
    });

    it('one told to stop under load: no request fails', async () => {
      const load = startLoad();
      await load.flows(100);
      await platform.kill('identity', 'SIGTERM', 0);
      await load.flows(100);
      const { read, written, loggedIn } = await load.stop();
      expect(failed(read, (status) => status === 200)).toEqual([]);
      expect(failed(written, ({ status }) => status === 201)).toEqual([]);
      expect(failed(loggedIn, (status) => status === 200)).toEqual([]);
      await expectNothingLost(written);
    });

    it('one killed with nothing in flight: it is out at the first failed connect, and nobody notices', async () => {
      await platform.restart('identity', 0);
      const url = platform.httpUrlOf('identity', 0);
      await eventually(async () => (await breakerOf(url)) !== undefined);
      const { client } = administrator;
      // Both have had requests, so that the gateway holds connections to both.
      await eventually(async () => {
        expect((await client.get('/v1/users/me')).status).toBe(200);
        return ((await breakerOf(url))?.sent ?? 0) > 5;
      });
      await platform.kill('identity', 'SIGKILL', 0);
      const before = (await breakerOf(url))?.sent ?? 0;
      const from = performance.now();
      await eventually(async () => {
        const email = `quiet-${randomUUID()}@example.com`;
        const { status } = await client.post('/v1/users', { email, display_name: 'Quiet' });
        expect(status).toBe(201);
        return (await breakerOf(url))?.state === 'open';
      });
      const ejected = await breakerOf(url);
      expect(ejected?.sent).toBe(before + 1);
      expect(ejected?.times_ejected).toBe(1);
      for (let n = 0; n < 30; n++) {
        const email = `quiet-${randomUUID()}@example.com`;
        const { status } = await client.post('/v1/users', { email, display_name: 'Quiet' });
        expect(status).toBe(201);
      }
      // It is tried once each time its ejection ends, the first time after a second.
      const trials = Math.floor((performance.now() - from) / 1_000);
      expect(((await breakerOf(url))?.sent ?? 0) - before).toBeLessThanOrEqual(1 + trials);
    });
  });
});
