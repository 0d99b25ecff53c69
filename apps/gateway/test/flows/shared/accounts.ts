import { eventually } from '@gatehouse/testing';
import {
  type Answer,
  type Login,
  TestClient,
  type TestPlatform,
} from '@gatehouse/testing-platform';
import { CURRENT_WITHIN_MS, millisecondsUntil } from '../support/stopwatch.ts';
import { scrape } from '../support/metrics.ts';
import { Secrets } from '../support/secrets.ts';

const SERVICES = ['auth', 'identity', 'authz', 'audit', 'gateway'];
/** Seconds in which a used refresh token gives its successor again. Long enough for 50 calls on a busy machine. */
export const REFRESH_WINDOW_SECONDS = 5;
const PASSWORD = 'a sentence that nobody guesses';

interface Tokens {
  access_token: string;
  refresh_token: string;
  session_id: string;
  code?: string;
}

export function accounts(shared: () => TestPlatform): void {
  let platform: TestPlatform;
  const secrets = new Secrets();

  beforeAll(() => {
    platform = shared();
  });

  /** From an address of its own each time, as an attacker with many would. */
  async function refresh(token: string): Promise<Answer<Tokens>> {
    const answer = await platform
      .client()
      .post<Tokens>('/v1/auth/refresh', { refresh_token: secrets.note('a refresh token', token) });
    if (answer.status === 200) {
      secrets.note('a refresh token', answer.body.refresh_token);
      secrets.note('an access token', answer.body.access_token);
    }
    return answer;
  }

  async function newSession(): Promise<Login> {
    const login = await platform.registerAndLogin();
    secrets.note('a password', login.password);
    secrets.note('an access token', login.accessToken);
    secrets.note('a refresh token', login.refreshToken);
    return login;
  }

  const inParallel = (count: number, token: string) =>
    Promise.all(Array.from({ length: count }, () => refresh(token)));
  const successors = (answers: Answer<Tokens>[]) =>
    new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body.refresh_token));
  const isOpen = async ({ client }: Login) => (await client.get('/v1/users/me')).status === 200;

  describe('a refresh token', () => {
    it('used 50 times at once has one successor, and ends its session when used after the window', async () => {
      const session = await newSession();
      const answers = await inParallel(50, session.refreshToken);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      const [successor = '', ...others] = successors(answers);
      expect(others).toEqual([]);
      expect(successor).not.toBe(session.refreshToken);

      await eventually(async () => expect((await refresh(session.refreshToken)).status).toBe(401), {
        timeoutMs: 3 * REFRESH_WINDOW_SECONDS * 1000,
        intervalMs: 200,
      });
      expect(await millisecondsUntil(async () => !(await isOpen(session)))).toBeLessThan(
        CURRENT_WITHIN_MS,
      );
      expect(await refresh(successor)).toMatchObject({
        status: 401,
        body: { code: 'INVALID_GRANT' },
      });
    });

    it('is not what it was by one character', async () => {
      const session = await newSession();
      const { refreshToken: token } = session;
      const altered = [
        `${token.slice(0, -2)}${token.endsWith('AA') ? 'QQ' : 'AA'}`,
        `${token}A`,
        token.slice(1),
        token.toUpperCase(),
        session.accessToken,
        session.sessionId,
      ];
      for (const each of altered) {
        const { status } = await platform
          .client()
          .post('/v1/auth/refresh', { refresh_token: each });
        expect([400, 401]).toContain(status);
      }
      expect(await isOpen(session)).toBe(true);
      expect((await refresh(token)).status).toBe(200);
    });

    it('has the same successor after Auth was killed among 50 uses, and is refused after the window', async () => {
      const session = await newSession();
      const running = Array.from({ length: 50 }, () =>
        refresh(session.refreshToken).catch(() => undefined),
      );
      await Promise.race(running);
      await platform.kill('auth', 'SIGKILL');
      const early = (await Promise.all(running)).filter((answer) => answer !== undefined);
      expect(early.every(({ status }) => [200, 502, 503, 504].includes(status))).toBe(true);

      await platform.startInstance('auth');
      // The client that lost the answer asks again; meanwhile the window may have passed on a busy machine.
      const late = await eventually(
        async () => {
          const answer = await refresh(session.refreshToken);
          if (answer.status >= 500) throw new Error(`refresh answered ${answer.status}`);
          return answer;
        },
        { timeoutMs: 20_000, intervalMs: 100 },
      );
      expect([200, 401]).toContain(late.status);
      expect(successors([...early, late]).size).toBe(1);

      await eventually(async () => expect((await refresh(session.refreshToken)).status).toBe(401), {
        timeoutMs: 3 * REFRESH_WINDOW_SECONDS * 1000,
        intervalMs: 200,
      });
      await eventually(async () => !(await isOpen(session)), { timeoutMs: 10_000 });
      const [successor = ''] = successors([...early, late]);
      expect((await refresh(successor)).status).toBe(401);
    });

    it('without a window is good for one use, and a second ends the session', async () => {
      const session = await newSession();
      await platform.instance('auth', 1).kill('SIGKILL');
      await platform.startInstance('auth', { AUTH_REFRESH_WINDOW_SECONDS: '0' });
      await eventually(
        async () => expect((await platform.client().post('/v1/auth/refresh', {})).status).toBe(400),
        { timeoutMs: 20_000 },
      );
      const answers = await inParallel(50, session.refreshToken);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(49);
      const [successor = ''] = successors(answers);
      expect((await refresh(successor)).status).toBe(401);
      await eventually(async () => !(await isOpen(session)), { timeoutMs: 10_000 });
    });
  });

  describe('who has an account', () => {
    /** What a stranger sees, without what differs from answer to answer. */
    const seen = ({ status, headers, body }: Answer) => {
      const { request_id: _request, ...rest } = body;
      const names = [...headers.keys()].filter((name) => name !== 'date').sort();
      return { status, names, type: headers.get('content-type'), rest };
    };
    const hashes = async () => {
      const instances = [0, 1, 2].filter((index) => platform.instance('auth', index).running);
      const counts = await Promise.all(
        instances.map(async (index) =>
          (await scrape(platform.adminUrlOf('auth', index))).value(
            'auth_password_hash_duration_seconds_count',
          ),
        ),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    };
    /** What is seen, and how many passwords were hashed for it once all is done that it began. */
    async function observe(path: string, body: object) {
      const before = await hashes();
      const answer = seen(await platform.client().post(path, body));
      return { answer, hashed: (await hashes()) - before };
    }

    it('cannot be told from how a login fails', async () => {
      const user = await platform.registerAndLogin();
      const known = await observe('/v1/auth/login', { email: user.email, password: PASSWORD });
      const unknown = await observe('/v1/auth/login', {
        email: 'nobody@example.com',
        password: PASSWORD,
      });
      expect(known.answer).toMatchObject({ status: 401, rest: { code: 'INVALID_CREDENTIALS' } });
      expect(known.hashed).toBeGreaterThan(0);
      expect(unknown).toEqual(known);
    });

    it('cannot be told from how a registration is answered', async () => {
      const user = await platform.registerAndLogin();
      const password = secrets.note('a password', PASSWORD);
      const known = await observe('/v1/auth/register', { email: user.email, password });
      const unknown = await observe('/v1/auth/register', {
        email: 'new-to-all@example.com',
        password,
      });
      expect(known.answer).toMatchObject({ status: 202, rest: { status: 'accepted' } });
      expect(known.hashed).toBeGreaterThan(0);
      expect(unknown).toEqual(known);
      const retyped = await platform
        .client()
        .post('/v1/auth/login', { email: user.email, password });
      expect(retyped.status).toBe(401);
    });
  });

  describe('the limit of an address', () => {
    const attempt = async (client: TestClient, headers: Record<string, string>) =>
      (await client.post('/v1/auth/login', {}, headers)).status;

    it('is not escaped by header fields where no proxy is trusted', async () => {
      const gateway = await platform.startInstance('gateway', { GATEWAY_TRUSTED_PROXIES: '' });
      const client = new TestClient(gateway.httpUrl);
      const statuses: number[] = [];
      for (let index = 0; index < 30; index++) {
        const address = `198.51.100.${index}`;
        statuses.push(
          await attempt(client, {
            'x-forwarded-for': `${address}, ${address}`,
            forwarded: `for=${address}`,
            'x-real-ip': address,
            'client-ip': address,
            'true-client-ip': address,
            'cf-connecting-ip': address,
            'x-client-ip': address,
          }),
        );
      }
      expect(statuses.filter((status) => status === 400).length).toBeLessThanOrEqual(12);
      expect(statuses.slice(15)).toEqual(Array<number>(15).fill(429));
    });

    it.each([
      ['all of an IPv6 /64', (index: number) => `2001:db8:7:7::${index.toString(16)}`],
      [
        'both ways of writing an IPv4 address',
        (index: number) => (index % 2 === 0 ? '203.0.113.7' : '::ffff:203.0.113.7'),
      ],
    ])('is shared by %s', async (_name, address) => {
      const statuses: number[] = [];
      for (let index = 1; index <= 24; index++) {
        statuses.push(await attempt(platform.client(), { 'x-forwarded-for': address(index) }));
      }
      expect(statuses.slice(15)).toEqual(Array<number>(9).fill(429));
      expect(await attempt(platform.client(), { 'x-forwarded-for': '2001:db8:7:8::1' })).toBe(400);
    });
  });

  describe('after all of this', () => {
    it('no log holds a password or a token', () => {
      expect(secrets.leaks(platform, SERVICES)).toEqual([]);
    });
  });
}
