import { generateKeyPairSync } from 'node:crypto';

import { issueProvisionerToken } from '@gatehouse/discovery';
import { type Principal, requestContext } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Param, Post } from '@nestjs/common';

import {
  AllowedClients,
  ANY_SERVICE,
  Audited,
  Authenticated,
  CurrentPrincipal,
  Public,
  RateLimit,
  RequirePermission,
} from '../src/index.ts';
import { TestIssuer } from '../src/testing/index.ts';
import { tokenAttacks } from '../src/testing/token-attacks.ts';
import { GuardedService } from './support/guarded-service.ts';

@Controller('v1/orders')
class OrdersController {
  @Get('open')
  @Public()
  open() {
    const { principal, caller, clientIp, requestId } = requestContext.require();
    return { principal: principal?.id ?? null, caller: caller ?? null, clientIp, requestId };
  }

  @Get('me')
  @Authenticated()
  me(@CurrentPrincipal() { id, type, organizationId }: Principal) {
    return { id, type, organization: organizationId ?? null };
  }

  @Get('open/whoami')
  @Public()
  whoami(@CurrentPrincipal() who: Principal) {
    return { id: who.id };
  }

  @Get(':id')
  @RequirePermission('orders.order.read', { orSelf: 'id' })
  get(@Param('id') id: string) {
    return { id };
  }

  @Post()
  @RequirePermission('orders.order.create')
  @Audited('orders.order.create')
  create(@Body() body: { id: string }) {
    return { id: body.id };
  }

  @Post('global')
  @RequirePermission('orders.catalogue.change', { scope: 'platform' })
  global() {
    return { changed: true };
  }

  @Get('inner/any')
  @AllowedClients(ANY_SERVICE)
  any() {
    return { caller: requestContext.require().caller };
  }

  @Get('inner/identity')
  @AllowedClients('identity', 'provisioner')
  identity() {
    return { caller: requestContext.require().caller };
  }

  @Get('inner/both')
  @AllowedClients('identity')
  @Authenticated()
  both(@CurrentPrincipal() who: Principal) {
    return { id: who.id };
  }

  @Get('limited/address')
  @Public()
  @RateLimit({ limit: 3, per: '1h', by: 'ip' })
  byAddress() {
    return {};
  }

  @Get('limited/principal')
  @Authenticated()
  @RateLimit({ limit: 2, per: '1h', by: 'principal', name: 'slow' })
  @RateLimit({ limit: 100, per: '1h', by: 'ip', name: 'wide' })
  byPrincipal() {
    return {};
  }
}

describe('the access rules over HTTP', () => {
  let service: GuardedService;
  const code = async (response: Response) => ((await response.json()) as { code: string }).code;

  beforeAll(async () => {
    service = await GuardedService.start({ controllers: [OrdersController] });
    service.core.role({
      id: 'clerk',
      permissions: ['orders.order.create', 'orders.order.read', 'orders.catalogue.change'],
    });
    service.core.bind('clerk-1', ['clerk', 'platform']);
    service.core.bind('clerk-of-a', ['clerk', 'organization:a']);
    await eventually(() => (service.core.head > 0 ? true : false), {
      timeoutMs: 1000,
      intervalMs: 10,
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
  });
  afterAll(() => service.stop());

  const post = (path: string, claims: Record<string, unknown>) =>
    service.fetch(path, {
      method: 'POST',
      body: '{"id":"o1"}',
      headers: { 'content-type': 'application/json' },
      token: service.issuer.token(claims),
    });

  describe('@Public', () => {
    it('lets anybody in, and looks at no credential', async () => {
      expect((await service.fetch('/v1/orders/open')).status).toBe(200);
      const response = await service.fetch('/v1/orders/open', { token: 'rubbish' });
      expect(await response.json()).toMatchObject({ principal: null, caller: null });
    });

    it('has no principal to give', async () => {
      const response = await service.fetch('/v1/orders/open/whoami', {
        token: service.issuer.token(),
      });
      expect(response.status).toBe(401);
    });
  });

  describe('@Authenticated', () => {
    it('refuses who presents no token, with a challenge', async () => {
      const response = await service.fetch('/v1/orders/me');
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="gatehouse"');
      expect(response.headers.get('content-type')).toContain('application/problem+json');
      expect(await response.json()).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
    });

    it('lets in who presents one, and says who that is', async () => {
      const token = service.issuer.token({ sub: 'u9', org: 'a' });
      const response = await service.fetch('/v1/orders/me', { token });
      expect(await response.json()).toEqual({ id: 'u9', type: 'user', organization: 'a' });
    });

    it('tells who must refresh', async () => {
      const exp = Math.floor(Date.now() / 1000) - 60;
      const token = service.issuer.token({ exp, iat: exp - 600, nbf: exp - 600 });
      const response = await service.fetch('/v1/orders/me', { token });
      expect(response.status).toBe(401);
      expect(await code(response)).toBe('TOKEN_EXPIRED');
    });

    it('refuses every token that is not one of Auth', async () => {
      const attacks = Object.entries(tokenAttacks(service.issuer)).filter(
        ([, token]) => !token.includes('\n'),
      );
      for (const [name, token] of attacks) {
        const { status } = await service.fetch('/v1/orders/me', { token });
        // A header of that size is refused before anybody reads it.
        expect([name, name === 'too much' && status === 431 ? 401 : status]).toEqual([name, 401]);
      }
    });

    it('does not ask Auth for keys each time an unknown one is named', async () => {
      const before = service.core.keySetCalls;
      for (let i = 0; i < 30; i += 1) {
        const token = service.issuer.token({}, { header: { kid: `made-up-${i}` } });
        expect((await service.fetch('/v1/orders/me', { token })).status).toBe(401);
      }
      expect(service.core.keySetCalls - before).toBeLessThanOrEqual(1);
    });

    it('refuses a token of another issuer with the same key ids', async () => {
      const token = new TestIssuer().token();
      expect((await service.fetch('/v1/orders/me', { token })).status).toBe(401);
    });

    it('refuses within a second what was revoked', async () => {
      const token = service.issuer.token({ sid: 'ending' });
      expect((await service.fetch('/v1/orders/me', { token })).status).toBe(200);
      service.core.revoke({
        session: {
          sessionId: 'ending',
          revoked: true,
          expiresAt: { seconds: Date.now() / 1000 + 600, nanos: 0 },
        },
      });
      await eventually(
        async () => expect((await service.fetch('/v1/orders/me', { token })).status).toBe(401),
        { timeoutMs: 1000, intervalMs: 20 },
      );
    });
  });

  describe('@RequirePermission', () => {
    it('lets in who holds the permission', async () => {
      expect((await post('/v1/orders', { sub: 'clerk-1' })).status).toBe(201);
    });

    it('refuses who does not, and says what is missing', async () => {
      const response = await post('/v1/orders', { sub: 'nobody' });
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({
        code: 'PERMISSION_DENIED',
        detail: 'This needs the permission orders.order.create.',
      });
    });

    it('decides for the organization that the token chose', async () => {
      expect((await post('/v1/orders', { sub: 'clerk-of-a', org: 'a' })).status).toBe(201);
      expect((await post('/v1/orders', { sub: 'clerk-of-a', org: 'b' })).status).toBe(403);
      expect((await post('/v1/orders', { sub: 'clerk-of-a' })).status).toBe(403);
    });

    it('decides what is global for the platform, whatever the token chose', async () => {
      expect((await post('/v1/orders/global', { sub: 'clerk-of-a', org: 'a' })).status).toBe(403);
      expect((await post('/v1/orders/global', { sub: 'clerk-1', org: 'a' })).status).toBe(201);
    });

    it('needs no permission of who is named in the path', async () => {
      const token = service.issuer.token({ sub: 'u7' });
      expect((await service.fetch('/v1/orders/u7', { token })).status).toBe(200);
      expect((await service.fetch('/v1/orders/u8', { token })).status).toBe(403);
    });

    it('follows a grant and its end within a second', async () => {
      expect((await post('/v1/orders', { sub: 'newcomer' })).status).toBe(403);
      const becomes = (status: number) =>
        eventually(
          async () => expect((await post('/v1/orders', { sub: 'newcomer' })).status).toBe(status),
          {
            timeoutMs: 1000,
            intervalMs: 20,
          },
        );
      service.core.bind('newcomer', ['clerk', 'platform']);
      await becomes(201);
      service.core.bind('newcomer');
      await becomes(403);
    });

    it('asks Authz once for a subject, however often it calls', async () => {
      const before = service.core.listGrantsCalls;
      for (let i = 0; i < 5; i += 1) await post('/v1/orders', { sub: 'frequent' });
      expect(service.core.listGrantsCalls - before).toBe(1);
    });

    it('records a denial once, and an allowed call once', async () => {
      await post('/v1/orders', { sub: 'refused' });
      await post('/v1/orders', { sub: 'clerk-1', sid: 'recorded' });
      const of = (match: (actor: { id: string; sessionId: string }) => boolean) =>
        service.core.entries.filter(({ actor }) => actor !== undefined && match(actor));
      await eventually(() => of(({ sessionId }) => sessionId === 'recorded').length > 0, {
        timeoutMs: 3000,
        intervalMs: 20,
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(of(({ id }) => id === 'refused')).toMatchObject([
        { action: 'orders.order.create', outcome: 3, reason: 'PERMISSION_DENIED' },
      ]);
      expect(of(({ sessionId }) => sessionId === 'recorded')).toMatchObject([
        { action: 'orders.order.create', outcome: 1, target: { type: 'order', id: 'o1' } },
      ]);
    });
  });

  describe('@AllowedClients', () => {
    const inner = (path: string, via?: string, token?: string) =>
      service.fetch(`/v1/orders/inner/${path}`, {
        ...(via === undefined ? {} : { via }),
        ...(token === undefined ? {} : { token }),
      });

    it('refuses who is no service', async () => {
      expect((await inner('any')).status).toBe(401);
      expect((await inner('identity', undefined, service.issuer.token())).status).toBe(401);
    });

    it('lets in the services named, and no other', async () => {
      expect(await (await inner('identity', await service.via('identity'))).json()).toEqual({
        caller: 'identity',
      });
      const other = await inner('identity', await service.via('audit'));
      expect(other.status).toBe(403);
      expect(await code(other)).toBe('CALLER_NOT_ALLOWED');
    });

    it('means by any service one of the directory, not the provisioner', async () => {
      const provisioner = await issueProvisionerToken(service.platformPrivateKey, 'orders');
      expect((await inner('any', await service.via('audit'))).status).toBe(200);
      expect((await inner('any', provisioner)).status).toBe(403);
      expect((await inner('identity', provisioner)).status).toBe(200);
    });

    it('believes no word but a signed one for this service', async () => {
      const strange = generateKeyPairSync('ed25519')
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString();
      for (const via of [
        'identity',
        await service.via('identity', 'auth'),
        await issueProvisionerToken(strange, 'orders'),
        service.issuer.token({ iss: 'identity', aud: 'orders' }),
      ]) {
        expect((await inner('identity', via)).status).toBe(401);
      }
    });

    it('asks for the service and the user where both are declared', async () => {
      const via = await service.via('identity');
      expect((await inner('both', via)).status).toBe(401);
      expect((await inner('both', undefined, service.issuer.token())).status).toBe(401);
      expect((await inner('both', via, service.issuer.token())).status).toBe(200);
    });
  });

  describe('the word of the gateway', () => {
    const open = async (headers: Record<string, string>, via?: string) =>
      (await service.fetch('/v1/orders/open', { headers, ...(via && { via }) })).json() as Promise<{
        clientIp: string;
        requestId: string;
        caller: string | null;
      }>;
    const forwarded = { 'x-forwarded-for': '203.0.113.7', 'x-request-id': 'a-request-id-0001' };

    it('is believed about the client and the request', async () => {
      expect(await open(forwarded, await service.via('gateway'))).toMatchObject({
        caller: 'gateway',
        clientIp: '203.0.113.7',
        requestId: 'a-request-id-0001',
      });
    });

    it('is not believed of anybody else', async () => {
      expect((await open(forwarded)).clientIp).toBe('127.0.0.1');
      expect((await open(forwarded)).requestId).not.toBe('a-request-id-0001');
      expect((await open(forwarded, await service.via('identity'))).clientIp).toBe('127.0.0.1');
    });

    it('is the last address, whatever a client put before it', async () => {
      const headers = { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' };
      expect((await open(headers, await service.via('gateway'))).clientIp).toBe('203.0.113.7');
      const rubbish = { 'x-forwarded-for': '203.0.113.7, unknown' };
      expect((await open(rubbish, await service.via('gateway'))).clientIp).toBe('127.0.0.1');
    });
  });

  describe('@RateLimit', () => {
    it('refuses beyond the limit, with the fields of the draft', async () => {
      const answers: Response[] = [];
      // A client that rotates what it says of itself is still one client.
      for (let i = 0; i < 5; i += 1) {
        const headers = { 'x-forwarded-for': `203.0.113.${i}`, forwarded: `for=203.0.113.${i}` };
        answers.push(await service.fetch('/v1/orders/limited/address', { headers }));
      }
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429]);
      const [first, , , refused] = answers;
      expect(first?.headers.get('ratelimit-policy')).toBe('"ip-1h";q=3;w=3600');
      expect(first?.headers.get('ratelimit')).toBe('"ip-1h";r=2;t=1200');
      expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(1190);
      expect(await refused?.json()).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    });

    it('reports every policy, and counts each principal for itself', async () => {
      const call = (sub: string) =>
        service.fetch('/v1/orders/limited/principal', { token: service.issuer.token({ sub }) });
      const first = await call('a');
      expect(first.headers.get('ratelimit-policy')).toBe('"wide";q=100;w=3600, "slow";q=2;w=3600');
      expect((await call('a')).status).toBe(200);
      const refused = await call('a');
      expect(refused.status).toBe(429);
      expect(refused.headers.get('ratelimit')).toContain('"slow";r=0');
      expect((await call('b')).status).toBe(200);
    });

    it('counts calls with bad tokens by address, before the token is looked at', async () => {
      const remaining = async () => {
        const response = await service.fetch('/v1/orders/limited/principal', { token: 'rubbish' });
        expect(response.status).toBe(401);
        return Number(/"wide";r=(\d+)/.exec(response.headers.get('ratelimit') ?? '')?.[1]);
      };
      const before = await remaining();
      expect(await remaining()).toBe(before - 1);
    });

    it('leaves counting to the gateway for what came through it', async () => {
      const via = await service.via('gateway');
      const response = await service.fetch('/v1/orders/limited/address', { via });
      expect(response.status).toBe(200);
      expect(response.headers.get('ratelimit')).toBeNull();
    });
  });

  it('answers 503, never 401, 403 or an allow, when Auth and Authz cannot be asked', async () => {
    service.core.down = true;
    try {
      const response = await post('/v1/orders', { sub: 'never-seen' });
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).not.toBeNull();
      // Who is known goes on being served within the bound.
      expect((await post('/v1/orders', { sub: 'clerk-1' })).status).toBe(201);
    } finally {
      service.core.down = false;
    }
  });
});
