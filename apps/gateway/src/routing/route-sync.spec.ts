import type { Manifest } from '@gatehouse/contracts-platform';
import { manifestDigest } from '@gatehouse/contracts-platform';
import type { DirectoryService, ServiceInstance } from '@gatehouse/discovery';
import { eventually } from '@gatehouse/testing';
import { route } from '../../test/fixtures/edge.ts';
import { FakeService } from '../../test/fixtures/fake-service.ts';
import { RequestMetrics } from '../telemetry/request-metrics.ts';
import { Upstreams } from '../upstream/upstreams.ts';
import { ManifestFetcher } from './manifest-fetcher.ts';
import { RouteSync } from './route-sync.ts';
import { buildVersion } from './version-builder.ts';

const edge = {
  address: { name: 'address', limit: 10, window_seconds: 60, by: 'ip' },
  principal: { name: 'principal', limit: 10, window_seconds: 60, by: 'principal' },
} as const;

/** What directory and registry say, to be changed at will. */
class Platform {
  listed: Pick<DirectoryService, 'name' | 'prefixes' | 'namespace'>[] = [];
  live: ServiceInstance[] = [];
  private readonly listeners = new Set<() => void>();
  readonly failures: string[] = [];
  private readonly running: FakeService[] = [];
  readonly upstreams = new Upstreams({ connections: 1, connectTimeoutMs: 200 });
  readonly sync = this.anotherSync();

  /** As a gateway has that has just begun. */
  anotherSync(): RouteSync {
    return new RouteSync({
      directory: {
        services: () => this.listed as DirectoryService[],
        onChange: (listener) => this.listen(listener),
      },
      discovery: { instances: () => this.live, watch: (listener) => this.listen(listener) },
      upstreams: this.upstreams,
      fetchManifest: (instance) =>
        new ManifestFetcher({ issue: (service) => `via for ${service}` }).manifest(instance),
      build: (manifest, digest, allotted) =>
        buildVersion(manifest, digest, allotted, edge, (...of) =>
          new RequestMetrics().seriesOf(...of),
        ),
      onFailure: ({ reason }) => this.failures.push(reason),
    });
  }

  list(name: string, ...prefixes: string[]): void {
    this.listed = [
      ...this.listed.filter((service) => service.name !== name),
      { name, prefixes, namespace: name },
    ];
    this.changed();
  }

  /** An instance that serves a manifest; what it signs can be told apart from what it serves. */
  async run(
    service: string,
    paths: string[],
    lie: { signs?: string; says?: Partial<Manifest> } = {},
  ): Promise<{ instance: ServiceInstance; fake: FakeService }> {
    const manifest = {
      service,
      version: '1.0.0',
      namespace: service,
      routes: paths.map((path) => route('GET', path)),
      permissions: [],
      ...lie.says,
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    const fake = await FakeService.start((_request, response) => response.end(bytes));
    this.running.push(fake);
    const instance: ServiceInstance = {
      service,
      instanceId: `${service}-${this.running.length}`,
      version: '1.0.0',
      httpUrl: fake.url,
      manifestDigest: lie.signs ?? manifestDigest(bytes),
      signedAt: new Date(),
      expiresAt: new Date(Date.now() + 3_600_000),
    };
    this.live = [...this.live, instance];
    this.changed();
    return { instance, fake };
  }

  gone(instance: ServiceInstance): void {
    this.live = this.live.filter((one) => one !== instance);
    this.changed();
  }

  serves(path: string): boolean {
    return this.sync.table.match('GET', path, path.length, performance.now()) !== undefined;
  }

  async becomes(path: string, served: boolean): Promise<void> {
    await eventually(() => this.serves(path) === served, { timeoutMs: 2_000, intervalMs: 10 });
  }

  async stop(): Promise<void> {
    this.sync.stop();
    await this.upstreams.close();
    await Promise.all(this.running.map((fake) => fake.stop()));
  }

  private listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

let platform: Platform;
beforeEach(() => {
  platform = new Platform();
  platform.sync.start();
});
afterEach(() => platform.stop());

describe('the routes', () => {
  it('of a service that starts later are there within two seconds, read with a Via of ours', async () => {
    platform.list('orders', '/v1/orders');
    expect(platform.serves('/v1/orders')).toBe(false);
    const { fake } = await platform.run('orders', ['/v1/orders', '/v1/orders/{id}']);
    await platform.becomes('/v1/orders/7', true);
    expect(fake.last.headers['gatehouse-via']).toBe('via for orders');
  });

  it('of a service that the directory drops are gone at once', async () => {
    platform.list('orders', '/v1/orders');
    await platform.run('orders', ['/v1/orders']);
    await platform.becomes('/v1/orders', true);
    platform.listed = [];
    platform.sync.refresh();
    expect(platform.serves('/v1/orders')).toBe(false);
  });

  it('stay while no instance is there, so that it is a 503 and not a 404', async () => {
    platform.list('orders', '/v1/orders');
    const { instance } = await platform.run('orders', ['/v1/orders']);
    await platform.becomes('/v1/orders', true);
    platform.gone(instance);
    expect(platform.serves('/v1/orders')).toBe(true);
    expect(platform.sync.table.services[0]?.versions[0]?.instances).toEqual([]);
  });

  it('outside of the prefixes are refused and shown, the others served', async () => {
    platform.list('orders', '/v1/orders');
    await platform.run('orders', ['/v1/orders', '/v1/ordersx', '/v1/users', '/docs/orders']);
    await platform.becomes('/v1/orders', true);
    expect(platform.serves('/v1/users')).toBe(false);
    expect(platform.serves('/v1/ordersx')).toBe(false);
    const refused = platform.sync.table.services[0]?.versions[0]?.refused;
    expect(refused?.map(({ route: name }) => name)).toEqual([
      'GET /v1/ordersx',
      'GET /v1/users',
      'GET /docs/orders',
    ]);
  });

  it('follow the prefixes that the directory gives', async () => {
    platform.list('orders', '/v1/orders');
    await platform.run('orders', ['/v1/orders', '/v1/carts']);
    await platform.becomes('/v1/orders', true);
    platform.list('orders', '/v1/carts');
    await platform.becomes('/v1/carts', true);
    expect(platform.serves('/v1/orders')).toBe(false);
  });

  it.each([
    ['with another digest than was signed', { signs: `sha-256:${'0'.repeat(64)}` }, 'digest'],
    ['of another service', { says: { service: 'users' } }, 'that of users'],
    ['that is none', { says: { routes: 'all' } as never }, 'Invalid input'],
  ])('of a manifest %s are never served', async (_name, lie, reason) => {
    platform.list('orders', '/v1/orders');
    await platform.run('orders', ['/v1/orders'], lie);
    await eventually(() => platform.failures.length > 1, { timeoutMs: 2_000, intervalMs: 10 });
    expect(platform.failures[0]).toContain(reason);
    expect(platform.serves('/v1/orders')).toBe(false);
    expect(platform.sync.failures()).toHaveLength(1);
  });

  it('are read from another instance where the first does not answer', async () => {
    platform.list('orders', '/v1/orders');
    const { fake } = await platform.run('orders', ['/v1/orders']);
    await fake.stop();
    await platform.run('orders', ['/v1/orders']);
    await platform.becomes('/v1/orders', true);
    expect(platform.sync.table.services[0]?.versions[0]?.instances).toHaveLength(2);
  });
});

describe('until every instance found at the start has been asked', () => {
  it('what is not found may be there yet: the table says so, and does not change its mind later', async () => {
    platform.list('orders', '/v1/orders');
    platform.list('carts', '/v1/carts');
    await platform.run('orders', ['/v1/orders']);
    const { fake } = await platform.run('carts', ['/v1/carts']);
    await fake.stop();
    const fresh = platform.anotherSync();
    expect(fresh.table.isComplete).toBe(false);
    fresh.start();
    expect(fresh.table.isComplete).toBe(false);
    await eventually(() => fresh.table.isComplete, { timeoutMs: 2_000, intervalMs: 10 });
    expect(fresh.table.match('GET', '/v1/orders', 10, performance.now())).toBeDefined();
    await platform.run('carts', ['/v1/carts']);
    expect(fresh.table.isComplete).toBe(true);
    fresh.stop();
  });

  it('nothing to ask is everything asked', () => {
    const fresh = platform.anotherSync();
    fresh.start();
    expect(fresh.table.isComplete).toBe(true);
    fresh.stop();
  });
});

describe('a rolling upgrade', () => {
  it('serves both manifests by their live instances, and new routes from the first instance on', async () => {
    platform.list('orders', '/v1/orders');
    await platform.run('orders', ['/v1/orders']);
    await platform.run('orders', ['/v1/orders']);
    await platform.run('orders', ['/v1/orders']);
    await platform.run('orders', ['/v1/orders', '/v1/orders/new']);
    await platform.becomes('/v1/orders/new', true);
    const drawn: Record<string, number> = {};
    for (let n = 0; n < 4_000; n++) {
      const found = platform.sync.table.match('GET', '/v1/orders', 10, performance.now());
      const digest = found?.version.digest ?? 'none';
      drawn[digest] = (drawn[digest] ?? 0) + 1;
    }
    const [few = 0, many = 0] = Object.values(drawn).sort((a, b) => a - b);
    expect(many / few).toBeGreaterThan(2.4);
    expect(many / few).toBeLessThan(3.8);
  });

  it('ends with the last instance of the old manifest', async () => {
    platform.list('orders', '/v1/orders');
    const old = await platform.run('orders', ['/v1/orders', '/v1/orders/old']);
    await platform.run('orders', ['/v1/orders']);
    await platform.becomes('/v1/orders/old', true);
    platform.gone(old.instance);
    await platform.becomes('/v1/orders/old', false);
    expect(platform.serves('/v1/orders')).toBe(true);
    expect(platform.upstreams.all()).toHaveLength(1);
  });
});
