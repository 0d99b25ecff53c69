import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGrpcClient } from '@gatehouse/clients';
import { auditV1 } from '@gatehouse/contracts-audit';
import { authV1 } from '@gatehouse/contracts-auth';
import { authzV1 } from '@gatehouse/contracts-authz';
import { identityV1 } from '@gatehouse/contracts-identity';
import type { GrpcContract, PlatformError } from '@gatehouse/contracts-platform';
import { generateServiceKey, publicKeyOf } from '@gatehouse/discovery';
import { type RegisteredUser, type TestPlatform } from '@gatehouse/testing-platform';
import { Diagnostics, type RouteDeclaration } from '../support/diagnostics.ts';
import { signVia } from '../support/signing.ts';

const CONTRACTS: GrpcContract[] = [authV1, identityV1, authzV1, auditV1];
/** For a service as audience. */
type Forge = (audience: string) => string;

const SERVICES = CONTRACTS.map(({ service }) => service);

export function directAccess(shared: () => TestPlatform): void {
  describe('a service port reached directly', () => {
    let platform: TestPlatform;
    let user: RegisteredUser;
    let routes: Map<string, RouteDeclaration[]>;
    /** `Gatehouse-Via` tokens that must not be believed by the service they are sent to. */
    let forgeries: Map<string, Forge>;
    beforeAll(async () => {
      platform = shared();
      user = await platform.registerAndLogin();
      const diagnostics = new Diagnostics(platform.adminUrlOf('gateway'));
      routes = new Map(
        await Promise.all(
          SERVICES.map(async (name) => [name, await diagnostics.routesOf(name)] as const),
        ),
      );
      const gatewayKey = keyOf('gateway');
      const stranger = generateServiceKey().privateKey;
      forgeries = new Map<string, Forge>([
        ['signed by nobody we know', (aud) => signVia({ iss: 'gateway', aud }, stranger)],
        [
          "signed by one service in another's name",
          (aud) => signVia({ iss: 'gateway', aud }, keyOf(aud === 'audit' ? 'identity' : 'audit')),
        ],
        ["in the provisioner's name", (aud) => signVia({ iss: 'provisioner', aud }, gatewayKey)],
        ['for another service', () => signVia({ iss: 'gateway', aud: 'orders' }, gatewayKey)],
        [
          'that has expired',
          (aud) => signVia({ iss: 'gateway', aud, iat: Date.now() / 1000 - 120 }, gatewayKey),
        ],
        [
          'that lasts for an hour',
          (aud) => signVia({ iss: 'gateway', aud, exp: Date.now() / 1000 + 3600 }, gatewayKey),
        ],
        ['with alg none', (aud) => unsigned({ iss: 'gateway', aud })],
        [
          'with the public key as a shared secret',
          (aud) => sharedSecret({ iss: 'gateway', aud }, gatewayKey),
        ],
        ['of another type', (aud) => signVia({ iss: 'gateway', aud }, gatewayKey, 'at+jwt')],
      ]);
    });

    const keyOf = (service: string) =>
      readFileSync(join(platform.credentialsDirOf(service), 'service-key'), 'utf8');

    describe('over HTTP', () => {
      const send = async (
        service: string,
        { method, path }: RouteDeclaration,
        headers: Record<string, string> = {},
      ) => {
        const target = path.replace(/\{[^}]+\}/g, randomUUID());
        const answer = await fetch(`${platform.httpUrlOf(service)}${target}`, {
          method,
          redirect: 'manual',
          headers: { ...(method !== 'GET' && { 'content-type': 'application/json' }), ...headers },
          ...(method !== 'GET' && { body: '{}' }),
        });
        const body = (await answer.json().catch(() => ({}))) as { code?: string };
        return { route: `${method} ${path}`, status: answer.status, code: body.code };
      };
      const guarded = (service: string) =>
        (routes.get(service) ?? []).filter(({ access }) => access.kind !== 'public');

      it.each(SERVICES)('%s lets nobody in without a credential', async (service) => {
        expect(guarded(service).length).toBeGreaterThan(0);
        for (const route of guarded(service)) {
          expect(await send(service, route)).toMatchObject({
            route: `${route.method} ${route.path}`,
            status: 401,
            code: 'UNAUTHENTICATED',
          });
        }
      });

      it.each(SERVICES)(
        '%s still asks for the permission where the token is good',
        async (service) => {
          const authorization = `Bearer ${user.accessToken}`;
          const withPermission = guarded(service).filter(
            ({ access }) => access.kind === 'permission',
          );
          expect(withPermission.length).toBeGreaterThan(0);
          for (const route of withPermission) {
            expect(await send(service, route, { authorization })).toMatchObject({
              route: `${route.method} ${route.path}`,
              status: 403,
              code: 'PERMISSION_DENIED',
            });
          }
        },
      );

      it.each(SERVICES)(
        '%s believes no forged Gatehouse-Via, even beside a good token',
        async (service) => {
          const [route] = guarded(service);
          if (route === undefined) throw new Error(`${service} guards no route`);
          for (const [, forge] of forgeries) {
            const headers = { 'gatehouse-via': forge(service) };
            expect(await send(service, route, headers)).toMatchObject({ status: 401 });
            const authorization = `Bearer ${user.accessToken}`;
            expect(await send(service, route, { ...headers, authorization })).toMatchObject({
              status: 401,
            });
          }
        },
      );

      it.each(SERVICES)("%s takes the gateway's own word for no permission", async (service) => {
        const via = signVia({ iss: 'gateway', aud: service }, keyOf('gateway'));
        const identity = {
          'x-user-id': platform.administrator.userId,
          'x-gatehouse-principal': 'x',
        };
        for (const route of guarded(service)) {
          const headers = { 'gatehouse-via': via, ...identity };
          expect(await send(service, route, headers)).toMatchObject({ status: 401 });
        }
      });

      it('identity answers for the one whose token it is', async () => {
        const answer = await fetch(`${platform.httpUrlOf('identity')}/v1/users/me`, {
          headers: { authorization: `Bearer ${user.accessToken}` },
        });
        expect(await answer.json()).toMatchObject({ id: user.userId });
      });

      it.each(SERVICES)(
        '%s shows its manifest and its metrics to nobody outside',
        async (service) => {
          const url = platform.httpUrlOf(service);
          expect((await fetch(`${url}/.well-known/gatehouse/manifest`)).status).toBe(401);
          expect((await fetch(`${url}/metrics`)).status).toBe(404);
        },
      );
    });

    describe('over gRPC', () => {
      /** What a method answers: an error's code, or `ok`. */
      const call = async (
        contract: GrpcContract,
        method: string,
        metadata: Record<string, string>,
      ): Promise<string> => {
        const { close, ...methods } = createGrpcClient(contract, {
          address: platform.grpcAddressOf(contract.service),
          metadata: () => metadata,
        }) as { close: () => void } & Record<string, (request: object) => unknown>;
        try {
          const answer = methods[method]?.({}) as Promise<unknown> | AsyncIterable<unknown>;
          if (Symbol.asyncIterator in answer) await answer[Symbol.asyncIterator]().next();
          else await answer;
          return 'ok';
        } catch (error) {
          return (error as PlatformError).code;
        } finally {
          close();
        }
      };
      const methodsOf = (contract: GrpcContract) => {
        const { close, ...methods } = createGrpcClient(contract, { address: '127.0.0.1:1' }) as {
          close: () => void;
        };
        close();
        return Object.keys(methods).filter((method) => method !== 'getKeySet');
      };

      describe.each(CONTRACTS)('$service', (contract) => {
        const { service } = contract;
        const methods = methodsOf(contract);

        it('lets nobody in without Gatehouse-Via, nor with a user token alone', async () => {
          for (const method of methods) {
            const authorization = `Bearer ${user.accessToken}`;
            expect([method, await call(contract, method, {})]).toEqual([method, 'UNAUTHENTICATED']);
            expect([method, await call(contract, method, { authorization })]).toEqual([
              method,
              'UNAUTHENTICATED',
            ]);
          }
        });

        it('believes no forged Gatehouse-Via', async () => {
          const [method = ''] = methods;
          for (const [kind, forge] of forgeries) {
            const answer = await call(contract, method, { 'gatehouse-via': forge(service) });
            expect([kind, answer]).toEqual([kind, 'UNAUTHENTICATED']);
          }
        });
      });

      it('refuses a service that may not call the method', async () => {
        const refused: [GrpcContract, string, string][] = [
          [identityV1, 'createUser', 'audit'],
          [identityV1, 'findByEmail', 'gateway'],
          [authV1, 'createCredential', 'identity'],
          [authV1, 'exchangeCredential', 'audit'],
          [authzV1, 'bootstrapAdministrator', 'auth'],
        ];
        for (const [contract, method, caller] of refused) {
          const via = signVia({ iss: caller, aud: contract.service }, keyOf(caller));
          const answer = await call(contract, method, { 'gatehouse-via': via });
          expect([contract.service, method, caller, answer]).toEqual([
            contract.service,
            method,
            caller,
            'CALLER_NOT_ALLOWED',
          ]);
        }
      });

      it("is open to everybody for Auth's key set alone", async () => {
        expect(await call(authV1, 'getKeySet', {})).toBe('ok');
      });
    });
  });
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

function claims(of: { iss: string; aud: string }) {
  const iat = Math.floor(Date.now() / 1000);
  return encode({ ...of, iat, exp: iat + 60 });
}

function unsigned(of: { iss: string; aud: string }): string {
  return `${encode({ alg: 'none', typ: 'gatehouse-via+jwt' })}.${claims(of)}.`;
}

function sharedSecret(of: { iss: string; aud: string }, key: string): string {
  const input = `${encode({ alg: 'HS256', typ: 'gatehouse-via+jwt' })}.${claims(of)}`;
  return `${input}.${createHmac('sha256', publicKeyOf(key)).update(input).digest('base64url')}`;
}
