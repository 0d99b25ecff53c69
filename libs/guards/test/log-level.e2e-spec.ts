import { Outcome } from '@gatehouse/contracts-audit';
import { Discovery, type ServiceInstance } from '@gatehouse/discovery';
import { setLogSink } from '@gatehouse/kernel';
import { eventually, freePort } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';

import { GuardedService } from './support/guarded-service.ts';

const lines: string[] = [];
setLogSink({ write: (line) => void lines.push(line) });

interface Instance {
  instance_id: string;
  level: string | null;
  configured_level: string | null;
  until: string | null;
  problem: string | null;
}
interface Levels {
  service: string;
  instances: Instance[];
}

describe('the log level of a service', () => {
  let service: GuardedService;
  const logger = new Logger('Tests');

  beforeAll(async () => {
    service = await GuardedService.start({}, { env: { LOG_LEVEL: 'warn' } });
    service.core.role({ id: 'operator', permissions: ['orders.log-level.update'] });
    service.core.role({ id: 'reader', permissions: ['orders.log-level.read'] });
    service.core.role({ id: 'admin', allPermissions: true });
    service.core.bind('operator', ['operator', 'platform'], ['reader', 'platform']);
    service.core.bind('reader', ['reader', 'platform']);
    service.core.bind('tenant', ['admin', 'organization:o1']);
    // The stand-ins in this process have set a level of their own.
    await eventually(async () => (await call('PUT', { level: 'fatal' })).status === 200);
  });
  afterAll(() => service.stop());
  beforeEach(async () => {
    // Another instance of the service; its listener is this one's.
    const others = service.get(Discovery).instances() as ServiceInstance[];
    const orders = others.findIndex(({ service: name }) => name === 'orders');
    if (orders >= 0) others.splice(orders);
    await call('DELETE');
    lines.length = 0;
  });

  const call = async (method: string, body?: unknown, as = 'operator', path = '') => {
    const answer = await service.fetch(`/v1/orders/log-level${path}`, {
      method,
      token: service.issuer.token({ sub: as }),
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    return { status: answer.status, body: (await answer.json()) as Levels };
  };
  const recorded = () =>
    service.core.entries.map(({ action, outcome, target, metadataJson }) => ({
      action,
      outcome,
      target: [target?.type, target?.id],
      metadata: JSON.parse(metadataJson) as unknown,
    }));
  const own = async () => (await call('GET')).body.instances[0];
  const announce = (instanceId: string, httpUrl: string) =>
    (service.get(Discovery).instances() as ServiceInstance[]).push({
      service: 'orders',
      instanceId,
      version: '1.0.0',
      httpUrl,
      signedAt: new Date(),
      expiresAt: new Date(Date.now() + 60_000),
    });

  it('is changed for a time by who may, in what is logged from then on, with an audit entry', async () => {
    expect(await own()).toMatchObject({ level: 'warn', configured_level: 'warn', until: null });
    logger.debug('not heard');
    const before = Date.now();
    const { status, body } = await call('PUT', { level: 'debug', for_seconds: 60 });
    expect(status).toBe(200);
    expect(body.service).toBe('orders');
    expect(body.instances).toEqual([
      {
        instance_id: expect.any(String),
        level: 'debug',
        configured_level: 'warn',
        until: expect.any(String),
        problem: null,
      },
    ]);
    const until = Date.parse(body.instances[0]?.until ?? '') - before;
    expect(until).toBeGreaterThanOrEqual(60_000);
    expect(until).toBeLessThan(90_000);
    logger.debug('heard');
    expect(lines.join('')).toContain('"msg":"heard"');
    expect(lines.join('')).not.toContain('not heard');

    await eventually(() =>
      expect(recorded()).toContainEqual({
        action: 'orders.log-level.update',
        outcome: Outcome.OUTCOME_SUCCESS,
        target: ['service', 'orders'],
        metadata: {
          level: 'debug',
          until: body.instances[0]?.until,
          instances: 1,
          unreached: 0,
        },
      }),
    );
    await call('DELETE');
    expect(await own()).toMatchObject({ level: 'warn', until: null });
    logger.debug('silent again');
    expect(lines.join('')).not.toContain('silent again');
  });

  it('is the configured one again when the time is over', async () => {
    await call('PUT', { level: 'trace', for_seconds: 1 });
    expect(await own()).toMatchObject({ level: 'trace' });
    await eventually(async () => {
      expect(await own()).toMatchObject({ level: 'warn', until: null });
    });
    expect(lines.join('')).toContain('log level restored');
  });

  it('is changed in every instance that is known; who does not answer is named', async () => {
    announce('other', service.url);
    announce('gone', `http://127.0.0.1:${await freePort()}`);
    const { status, body } = await call('PUT', { level: 'info' });
    expect(status).toBe(200);
    const [, other, gone] = body.instances;
    expect(other).toMatchObject({ instance_id: 'other', level: 'info', problem: null });
    expect(gone).toMatchObject({ instance_id: 'gone', level: null, until: null });
    expect(gone?.problem).toEqual(expect.stringContaining('fetch failed'));
    await eventually(() =>
      expect(recorded().map(({ metadata }) => metadata)).toContainEqual({
        level: 'info',
        until: body.instances[0]?.until,
        instances: 3,
        unreached: 1,
      }),
    );
  });

  it.each(['GET', 'PUT', 'DELETE'])(
    'refuses %s to who has no permission for it',
    async (method) => {
      const body = method === 'PUT' ? { level: 'debug' } : undefined;
      const { status } = await service.fetch('/v1/orders/log-level', { method });
      expect(status).toBe(401);
      expect((await call(method, body, 'nobody')).status).toBe(403);
      expect((await call(method, body, 'tenant')).status).toBe(403);
      expect((await call(method, body, 'reader')).status).toBe(method === 'GET' ? 200 : 403);
      expect(await own()).toMatchObject({ level: 'warn' });
    },
  );

  it.each([
    {},
    { level: 'silent' },
    { level: 'loud' },
    { level: 'debug', for_seconds: 0 },
    { level: 'debug', for_seconds: 86_401 },
    { level: 'debug', for_seconds: 1.5 },
    { level: 'debug', for_seconds: '60' },
    { level: 'debug', forever: true },
  ])('refuses %j', async (body) => {
    expect((await call('PUT', body)).status).toBe(400);
    expect(await own()).toMatchObject({ level: 'warn' });
  });

  it('of one instance is for other instances of the service alone', async () => {
    const ask = async (via?: string) =>
      (
        await service.fetch('/v1/orders/log-level/instance', {
          token: service.issuer.token({ sub: 'operator' }),
          ...(via !== undefined && { via }),
        })
      ).status;
    expect(await ask()).toBe(401);
    expect(await ask(await service.via('gateway'))).toBe(403);
    expect(await ask(await service.via('identity'))).toBe(403);
    expect(await ask(await service.via('orders'))).toBe(200);
  });
});
