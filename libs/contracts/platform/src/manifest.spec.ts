import { describe, expect, it } from '@jest/globals';

import { Manifest, manifestDigest, type RouteDeclaration } from './manifest.ts';

const route: RouteDeclaration = {
  method: 'GET',
  path: '/v1/orders/{id}',
  operation: 'OrdersController.get',
  access: {
    kind: 'permission',
    permission: 'orders.order.read',
    or_self: 'id',
    scope: 'organization',
  },
  rate_limits: [{ name: 'default', limit: 100, window_seconds: 60, by: 'principal' }],
  consumes: [],
  body_limit: 0,
  idempotent: true,
  timeout_ms: 10_000,
};
const manifest: Manifest = {
  service: 'orders',
  version: '1.2.3',
  namespace: 'orders',
  routes: [route],
  permissions: [{ name: 'orders.order.read', description: 'Read orders', scope: 'organization' }],
};

const withRoute = (change: object) => ({ ...manifest, routes: [{ ...route, ...change }] });
const problems = (value: unknown) =>
  Manifest.safeParse(value).error?.issues.map((issue) => issue.message) ?? [];

describe('a manifest', () => {
  it('is taken as a service declares it', () => {
    expect(Manifest.parse(manifest)).toEqual(manifest);
  });

  it('may carry members of a later version', () => {
    expect(Manifest.parse({ ...manifest, later: true })).toEqual(manifest);
  });

  it('is refused with a kind of access that is not known, never taken as open', () => {
    expect(Manifest.safeParse(withRoute({ access: { kind: 'maybe' } })).success).toBe(false);
    expect(Manifest.safeParse(withRoute({ access: undefined })).success).toBe(false);
  });

  it.each([
    'v1/orders',
    '/v1/orders/',
    '/v1//orders',
    '/v1/../auth',
    '/v1/./x',
    '/v1/%2e',
    '/v1/{id}x',
    '/v1/{id}/{id}',
  ])('is refused with the path %s', (path) => {
    expect(
      Manifest.safeParse(withRoute({ path, access: { kind: 'public' }, rate_limits: [] })).success,
    ).toBe(false);
  });

  it.each(['/', '/.well-known/jwks.json', '/oauth2/token', '/v1/roles/{name}'])(
    'is taken with the path %s',
    (path) => {
      expect(problems(withRoute({ path, access: { kind: 'authenticated' } }))).toEqual([]);
    },
  );

  it('is refused where or_self names no parameter', () => {
    expect(problems(withRoute({ path: '/v1/orders' }))).toEqual([
      'or_self names no parameter of the path',
    ]);
  });

  it('is refused where a public route counts principals', () => {
    expect(problems(withRoute({ access: { kind: 'public' } }))).toEqual([
      'a public route has no principal to count',
    ]);
  });

  it('is refused where two routes would match the same requests', () => {
    const twin = {
      ...route,
      path: '/v1/orders/{order}',
      access: { kind: 'authenticated' as const },
    };
    expect(problems({ ...manifest, routes: [route, twin] })).toEqual([
      'GET /v1/orders/{order} is declared twice',
    ]);
  });

  it('declares permissions of its own namespace alone', () => {
    const foreign = { ...manifest.permissions[0]!, name: 'identity.user.read' };
    expect(problems({ ...manifest, permissions: [foreign] })).toEqual([
      'identity.user.read is outside the namespace orders',
    ]);
  });
});

describe('the digest of a manifest', () => {
  it('is over the exact bytes', () => {
    expect(manifestDigest(Buffer.from('abc'))).toBe(
      'sha-256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(manifestDigest(Buffer.from('{"a":1}'))).not.toBe(
      manifestDigest(Buffer.from('{"a": 1}')),
    );
  });
});
