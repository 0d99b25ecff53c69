import { Manifest, manifestDigest } from '@gatehouse/contracts-platform';
import { Answers } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Param, Post, Put } from '@nestjs/common';
import { z } from 'zod';

import {
  AllowedClients,
  Audited,
  Authenticated,
  Public,
  RateLimit,
  RequirePermission,
  RouteOptions,
} from '../src/index.ts';
import { GuardedService } from './support/guarded-service.ts';

const Order = z.strictObject({ id: z.string() }).meta({ id: 'Order' });

@Controller('v1/orders')
class OrdersController {
  @Get(':id')
  @RequirePermission('orders.order.read', { orSelf: 'id', description: 'Read an order' })
  @Answers(200, Order, 'The order')
  get(@Param('id') id: string) {
    return { id };
  }

  @Post()
  @RequirePermission('orders.order.create', { scope: 'platform' })
  @RateLimit({ limit: 20, per: '1m', by: 'principal' })
  @Audited('orders.order.create')
  create(@Body({ schema: Order }) body: z.infer<typeof Order>) {
    return body;
  }

  @Put(':id/picture')
  @Authenticated()
  @RouteOptions({ consumes: ['image/png'], bodyLimit: 5_000_000, timeoutMs: 30_000 })
  picture() {
    return {};
  }

  @Get()
  @Public()
  list() {
    return [];
  }

  @Get('inner/things')
  @AllowedClients('identity')
  inner() {
    return {};
  }
}

describe('the manifest', () => {
  let service: GuardedService;
  beforeAll(async () => {
    service = await GuardedService.start({ controllers: [OrdersController] });
  });
  afterAll(() => service.stop());

  const read = async (document = 'manifest') =>
    service.fetch(`/.well-known/gatehouse/${document}`, { via: await service.via('gateway') });

  it('says what the decorators say', async () => {
    const manifest = Manifest.parse(await (await read()).json());
    expect(manifest).toMatchObject({ service: 'orders', version: '1.0.0', namespace: 'orders' });
    expect(manifest.permissions).toEqual([
      {
        name: 'orders.log-level.read',
        description: 'See the log level of this service',
        scope: 'platform',
      },
      {
        name: 'orders.log-level.update',
        description: 'Change the log level of this service for a time',
        scope: 'platform',
      },
      { name: 'orders.order.create', description: '', scope: 'platform' },
      { name: 'orders.order.read', description: 'Read an order', scope: 'organization' },
    ]);
    const route = (operation: string) =>
      manifest.routes.find((each) => each.operation === operation);
    expect(route('OrdersController.get')).toEqual({
      method: 'GET',
      path: '/v1/orders/{id}',
      operation: 'OrdersController.get',
      access: {
        kind: 'permission',
        permission: 'orders.order.read',
        or_self: 'id',
        scope: 'organization',
      },
      rate_limits: [],
      consumes: [],
      body_limit: 0,
      idempotent: true,
      timeout_ms: 10_000,
    });
    expect(route('OrdersController.create')).toMatchObject({
      method: 'POST',
      path: '/v1/orders',
      rate_limits: [{ name: 'principal-1m', limit: 20, window_seconds: 60, by: 'principal' }],
      consumes: ['application/json'],
      body_limit: 1024 ** 2,
      idempotent: false,
      audited: 'orders.order.create',
    });
    expect(route('OrdersController.picture')).toMatchObject({
      access: { kind: 'authenticated' },
      consumes: ['image/png'],
      body_limit: 5_000_000,
      timeout_ms: 30_000,
      idempotent: true,
    });
    expect(route('OrdersController.list')?.access).toEqual({ kind: 'public' });
  });

  it("leaves out the platform's own routes and those for operators", async () => {
    const { routes } = Manifest.parse(await (await read()).json());
    expect(routes.map(({ path }) => path).sort()).toEqual([
      '/v1/orders',
      '/v1/orders',
      // What the library serves of every service: show, change, restore.
      ...Array<string>(3).fill('/v1/orders/log-level'),
      '/v1/orders/{id}',
      '/v1/orders/{id}/picture',
    ]);
  });

  it('is announced with the digest of the very bytes served', async () => {
    const bytes = new Uint8Array(await (await read()).arrayBuffer());
    expect(service.announced).toHaveLength(1);
    expect(service.announced[0]?.digest).toBe(manifestDigest(bytes));
  });

  it('is read by the gateway alone', async () => {
    for (const document of ['manifest', 'openapi.json']) {
      const path = `/.well-known/gatehouse/${document}`;
      expect((await service.fetch(path)).status).toBe(401);
      expect((await service.fetch(path, { token: service.issuer.token() })).status).toBe(401);
      expect((await service.fetch(path, { via: await service.via('identity') })).status).toBe(403);
    }
  });

  it('registers its permissions with Authz, trying until they are taken', async () => {
    await eventually(() => service.core.registered.length > 0, { timeoutMs: 3000, intervalMs: 20 });
    expect(service.core.registered[0]).toMatchObject({
      manifestDigest: service.announced[0]?.digest,
      permissions: [
        { name: 'orders.log-level.read' },
        { name: 'orders.log-level.update' },
        { name: 'orders.order.create' },
        { name: 'orders.order.read' },
      ],
    });
  });

  it('does not wait for Authz with the start, and registers once Authz is there', async () => {
    const late = await GuardedService.start(
      { controllers: [OrdersController] },
      { wait: false, core: (state) => (state.down = true) },
    );
    expect((await late.fetch('/v1/orders')).status).toBe(200);
    expect((await late.fetch('/v1/orders/1', { token: late.issuer.token() })).status).toBe(503);
    expect(late.core.registered).toEqual([]);
    late.core.down = false;
    await eventually(() => late.core.registered.length > 0, { timeoutMs: 3000, intervalMs: 20 });
    await late.ready();
    await late.stop();
  });

  it('goes with an OpenAPI document that says what access a route needs', async () => {
    interface Document {
      openapi: string;
      paths: Record<
        string,
        Record<string, { security?: object[]; responses: object; 'x-permission'?: string }>
      >;
    }
    const document = (await (await read('openapi.json')).json()) as Document;
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual([
      '/v1/orders',
      '/v1/orders/log-level',
      '/v1/orders/{id}',
      '/v1/orders/{id}/picture',
    ]);
    expect(document.paths['/v1/orders']?.get?.security).toEqual([]);
    const get = document.paths['/v1/orders/{id}']?.get;
    expect(get).toMatchObject({ security: [{ bearer: [] }], 'x-permission': 'orders.order.read' });
    expect(Object.keys(get?.responses ?? {})).toEqual(
      expect.arrayContaining(['200', '401', '403', 'default']),
    );
    expect(Object.keys(document.paths['/v1/orders']?.post?.responses ?? {})).toContain('429');
  });
});
