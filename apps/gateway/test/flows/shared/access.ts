import { type RegisteredUser, type TestPlatform } from '@gatehouse/testing-platform';
import { randomAddress } from '../support/addresses.ts';
import { attackTokens, strangersTokens } from '../support/attack-tokens.ts';
import { businessRows } from '../support/business-rows.ts';
import { Diagnostics } from '../support/diagnostics.ts';
import { scrape } from '../support/metrics.ts';
import { ApiDocument, type Operation } from '../support/openapi/api-document.ts';
import { goodRequest } from '../support/openapi/good-request.ts';
import { problemIn } from '../support/openapi/refusal.ts';
import { Wire, type WireAnswer, type WireRequest } from '../support/openapi/wire.ts';
import { problemPageFaults } from '../support/problem-pages.ts';
import { Secrets } from '../support/secrets.ts';

const SERVICES = ['auth', 'identity', 'authz', 'audit', 'gateway'];
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

export function access(shared: () => TestPlatform): void {
  let platform: TestPlatform;
  let wire: Wire;
  let document: ApiDocument;
  let user: RegisteredUser;
  const secrets = new Secrets();
  const codes = new Set<string>();

  beforeAll(async () => {
    platform = shared();
    wire = new Wire(platform.gatewayUrl);
    document = await ApiDocument.read(platform.gatewayUrl);
    user = await platform.registerAndLogin();
    secrets.note('a password', user.password);
    secrets.note('an access token', user.accessToken);
    secrets.note('a refresh token', user.refreshToken);
  });
  afterAll(() => wire.close());

  async function send(request: WireRequest, token?: string): Promise<WireAnswer> {
    const answer = await wire.send({
      ...request,
      headers: {
        ...request.headers,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        'x-forwarded-for': randomAddress(),
      },
    });
    const code = problemIn(answer)?.code;
    if (code !== undefined) codes.add(code);
    return answer;
  }

  /** Status and code of the answer to what the operation asks for. */
  async function call(operation: Operation, token?: string, target?: string) {
    const good = goodRequest(document, operation);
    const answer = await send({ ...good, target: target ?? good.target }, token);
    const challenge = String(answer.headers['www-authenticate'] ?? '');
    return { status: answer.status, code: problemIn(answer)?.code, challenge };
  }

  const restricted = () => document.operations.filter(({ isPublic }) => !isPublic);
  const permitted = () => restricted().filter(({ permission }) => permission !== undefined);

  describe('without a token', () => {
    it('every route that is not public answers 401 and says how to authenticate', async () => {
      const before = await businessRows(platform);
      expect(restricted().length).toBeGreaterThan(30);
      for (const operation of restricted()) {
        const answer = { operation: operation.name, ...(await call(operation)) };
        expect(answer).toEqual({
          operation: operation.name,
          status: 401,
          code: 'UNAUTHENTICATED',
          challenge: 'Bearer realm="gatehouse"',
        });
      }
      expect(await businessRows(platform)).toEqual(before);
    });

    it('a public route asks for no token', async () => {
      for (const operation of document.operations.filter(({ isPublic }) => isPublic)) {
        const { status, code } = await call(operation);
        expect({ operation: operation.name, status, code }).not.toMatchObject({
          code: 'UNAUTHENTICATED',
        });
        expect({ operation: operation.name, masked: [403, 404, 500].includes(status) }).toEqual({
          operation: operation.name,
          masked: false,
        });
      }
    });
  });

  describe('with a token that is none', () => {
    it('every route that is not public answers 401, and says so', async () => {
      for (const operation of restricted()) {
        const { status, challenge } = await call(operation, 'rubbish');
        expect([operation.name, status]).toEqual([operation.name, 401]);
        expect(challenge).toContain('error="invalid_token"');
      }
    });

    it('nothing that an outsider can sign or change is taken for a token', async () => {
      const attacks = await attackTokens(platform, user.accessToken);
      expect(Object.keys(attacks).length).toBeGreaterThan(40);
      for (const [name, token] of Object.entries(attacks)) {
        const answer = await send({ method: 'GET', target: '/v1/users/me', headers: {} }, token);
        expect([name, answer.status]).toEqual([name, 401]);
      }
      expect((await user.client.get('/v1/users/me')).status).toBe(200);
    });

    it('keys that nobody knows do not make the gateway ask Auth for each', async () => {
      const asked = async () => {
        const metrics = await scrape(platform.adminUrlOf('auth'));
        return metrics.value('rpc_server_call_duration_seconds_count', {
          rpc_method: 'gatehouse.auth.v1.AuthService/GetKeySet',
        });
      };
      const before = await asked();
      expect(before).toBeGreaterThan(0);
      const answers = await Promise.all(
        strangersTokens(300).map((token) =>
          send({ method: 'GET', target: '/v1/users/me', headers: {} }, token),
        ),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
      expect((await asked()) - before).toBeLessThanOrEqual(3);
    });
  });

  describe("with a new user's token", () => {
    it('every route that needs a permission answers 403', async () => {
      const before = await businessRows(platform);
      expect(permitted().length).toBeGreaterThan(25);
      for (const operation of permitted()) {
        const { status, code } = await call(operation, user.accessToken);
        expect([operation.name, status, code]).toEqual([operation.name, 403, 'PERMISSION_DENIED']);
      }
      expect(await businessRows(platform)).toEqual(before);
    });

    it("a user's own object is open to it, another's is not", async () => {
      const routes = await Promise.all(
        SERVICES.map((each) => new Diagnostics(platform.adminUrlOf('gateway')).routesOf(each)),
      );
      const own = routes
        .flat()
        .flatMap(({ method, path, access }) =>
          'or_self' in access ? [{ method, path, self: String(access.or_self) }] : [],
        );
      expect(own.length).toBeGreaterThanOrEqual(3);
      for (const { method, path, self } of own) {
        const operation = operationOf(method, path);
        const mine = await call(
          operation,
          user.accessToken,
          path.replace(`{${self}}`, user.userId),
        );
        expect([operation.name, mine.status]).toEqual([
          operation.name,
          method === 'GET' ? 200 : 412,
        ]);
        const { userId } = platform.administrator;
        for (const other of [userId, userId.toUpperCase(), `${userId}%20`]) {
          const theirs = await call(operation, user.accessToken, path.replace(`{${self}}`, other));
          expect([operation.name, other, theirs.status]).toEqual([operation.name, other, 403]);
        }
      }
    });

    it("another's session, named by its id, is not there", async () => {
      const administrator = await platform.loginAsAdministrator();
      secrets.note('the administrator’s password', platform.administrator.password);
      secrets.note('the administrator’s token', administrator.accessToken);
      const taken = await user.client.delete(`/v1/auth/sessions/${administrator.sessionId}`);
      expect(taken.status).toBe(404);
      expect((await administrator.client.get('/v1/users/me')).status).toBe(200);
    });
  });

  describe('a method that a path does not take', () => {
    it('is answered 405 with those it takes', async () => {
      const paths = new Map<string, string[]>();
      for (const { path, method } of document.operations) {
        paths.set(path, [...(paths.get(path) ?? []), method]);
      }
      for (const [path, taken] of paths) {
        const operation = operationOf(taken[0] ?? '', path);
        const { target } = goodRequest(document, operation);
        const others = [...paths].filter(([other]) => other !== path && matches(other, target));
        const reachable = new Set([...taken, ...others.flatMap(([, methods]) => methods)]);
        for (const method of [...METHODS, 'PROPFIND'].filter((each) => !reachable.has(each))) {
          const answer = await send({ method, target, headers: {} }, user.accessToken);
          expect([path, method, answer.status, problemIn(answer)?.code]).toEqual([
            path,
            method,
            405,
            'METHOD_NOT_ALLOWED',
          ]);
          const allowed = String(answer.headers.allow).split(/, */);
          expect(allowed).toEqual(expect.arrayContaining(taken));
          expect(allowed).not.toContain(method);
        }
      }
    });
  });

  describe('members that are not the caller’s to set', () => {
    const mine = {
      id: '01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11',
      user_id: '01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11',
      roles: ['platform-admin'],
      role: 'platform-admin',
      permissions: ['identity.user.list'],
      is_admin: true,
      emailVerified: true,
      email_verified: true,
      orgId: '01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11',
      organization_id: '01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11',
      status: 'active',
      version: 7,
      created_at: '2020-01-01T00:00:00.000Z',
    };

    it('are refused by name when someone registers', async () => {
      const before = await businessRows(platform);
      for (const [name, value] of Object.entries(mine)) {
        const { status, body } = await platform.client().post('/v1/auth/register', {
          email: 'mass@example.com',
          password: 'a sentence that nobody guesses',
          [name]: value,
        });
        expect([name, status]).toEqual([name, 400]);
        expect(body).toMatchObject({ errors: [{ pointer: `/${name}` }] });
      }
      expect(await businessRows(platform)).toEqual(before);
    });

    it('are refused by name when users change themselves', async () => {
      const path = `/v1/users/${user.userId}`;
      const before = await user.client.get(path);
      for (const [name, value] of Object.entries(mine)) {
        const change = { display_name: 'Ada', [name]: value };
        const { status, body } = await user.client.patch(path, change, { 'if-match': '*' });
        expect([name, status]).toEqual([name, 400]);
        expect(body).toMatchObject({ errors: [{ pointer: `/${name}` }] });
      }
      expect(await user.client.get(path)).toMatchObject({ body: before.body });
    });

    it('include the address that the user is known by', async () => {
      const { status, body } = await user.client.patch(
        `/v1/users/${user.userId}`,
        { email: 'another@example.com' },
        { 'if-match': '*' },
      );
      expect([status, body.code]).toEqual([403, 'PERMISSION_DENIED']);
    });
  });

  describe('after all of this', () => {
    it('there is a page for every code that was seen', async () => {
      expect(codes).toContain('METHOD_NOT_ALLOWED');
      expect(await problemPageFaults(platform.gatewayUrl, codes)).toEqual([]);
    });

    it('no log holds a password or a token', async () => {
      const target = `/v1/users?access_token=${secrets.note('a token in a query', user.accessToken)}`;
      await send({ method: 'GET', target, headers: { cookie: `session=${user.refreshToken}` } });
      expect(secrets.leaks(platform, SERVICES)).toEqual([]);
    });
  });

  function operationOf(method: string, path: string): Operation {
    const found = document.operations.find((each) => each.method === method && each.path === path);
    if (found === undefined) throw new Error(`the document has no ${method} ${path}`);
    return found;
  }
}

function matches(template: string, path: string): boolean {
  return new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(path);
}
