import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';

import { Authenticated, GrantView, RequirePermission, RevocationView } from '../src/index.ts';
import { GuardedService } from './support/guarded-service.ts';

@Controller('v1/orders')
class OrdersController {
  @Get()
  @Authenticated()
  list() {
    return [];
  }

  @Get('all')
  @RequirePermission('orders.order.read')
  all() {
    return [];
  }
}

describe('following two instances of Auth and Authz', () => {
  let service: GuardedService;
  beforeAll(async () => {
    service = await GuardedService.start({ controllers: [OrdersController] }, { instances: 2 });
  });
  afterAll(() => service.stop());

  const status = async (path: string, claims: Record<string, unknown>) =>
    (await service.fetch(`/v1/orders${path}`, { token: service.issuer.token(claims) })).status;
  const becomes = (
    expected: number,
    path: string,
    claims: Record<string, unknown>,
    timeoutMs: number,
  ) =>
    eventually(async () => expect(await status(path, claims)).toBe(expected), {
      timeoutMs,
      intervalMs: 20,
    });

  it.each([0, 1])('is current within two seconds when instance %i falls silent', async (silent) => {
    for (const [index, instance] of service.instances.entries()) instance.silent = index === silent;
    const session = `ending-${silent}`;
    expect(await status('', { sid: session })).toBe(200);
    service.core.revoke({ session: { sessionId: session, revoked: true } });
    service.core.role({ id: 'reader', permissions: ['orders.order.read'] });
    service.core.bind(`reader-${silent}`, ['reader', 'platform']);
    await becomes(401, '', { sid: session }, 2000);
    await becomes(200, '/all', { sub: `reader-${silent}` }, 2000);
    service.core.bind(`reader-${silent}`);
    await becomes(403, '/all', { sub: `reader-${silent}` }, 2000);
  });

  it('goes on with what it knows while nobody answers, and catches up', async () => {
    for (const instance of service.instances) instance.silent = true;
    service.core.revoke({ subject: { subjectId: 'disabled', disabled: true } });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await status('', { sub: 'somebody' })).toBe(200);
    expect(service.get(RevocationView).staleness).toBeGreaterThan(1000);
    for (const instance of service.instances) instance.silent = false;
    await becomes(401, '', { sub: 'disabled' }, 3000);
  });

  it('shows how old its views are', async () => {
    const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(
      /guards_view_staleness_seconds\{[^}]*view="revocations"[^}]*\} 0?\.\d+/,
    );
    expect(metrics).toMatch(/guards_view_items\{[^}]*view="grants"[^}]*\} \d+/);
  });
});

describe('beyond its staleness bound', () => {
  it('answers 503, never 401 or an allow, and serves again once Auth is back', async () => {
    const service = await GuardedService.start(
      { controllers: [OrdersController] },
      { env: { REVOCATIONS_MAX_STALENESS_SECONDS: '0.8', GRANTS_MAX_STALENESS_SECONDS: '0.8' } },
    );
    service.core.role({ id: 'reader', permissions: ['orders.order.read'] });
    service.core.bind('reader', ['reader', 'platform']);
    const token = service.issuer.token({ sub: 'reader' });
    const call = async (path: string) => (await service.fetch(path, { token })).status;
    await eventually(async () => expect(await call('/v1/orders/all')).toBe(200), {
      timeoutMs: 1000,
      intervalMs: 20,
    });
    service.core.down = true;
    await eventually(async () => expect(await call('/v1/orders')).toBe(503), {
      timeoutMs: 3000,
      intervalMs: 20,
    });
    expect(await call('/v1/orders/all')).toBe(503);
    expect(service.get(GrantView).ready()).toBe(false);
    service.core.down = false;
    await eventually(async () => expect(await call('/v1/orders/all')).toBe(200), {
      timeoutMs: 3000,
      intervalMs: 20,
    });
    await service.stop();
  });
});
