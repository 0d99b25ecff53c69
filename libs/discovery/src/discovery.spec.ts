import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Directory } from './directory.ts';
import { Discovery } from './discovery.ts';
import type { RefusalReason } from './documents/instance.entry.ts';
import { SIGNATURE_LIFETIME_MS } from './documents/instance.entry.ts';
import { readPrivateKey } from './documents/keys.ts';
import { signDocument } from './documents/signed-document.ts';
import type { StoredEntry } from './registry.store.ts';
import { TestPlatform } from './testing/test-platform.ts';

const HTTP = 'http://10.0.0.1:3000';

describe('Discovery', () => {
  let platform: TestPlatform;
  let directory: Directory;
  let discovery: Discovery;

  beforeEach(async () => {
    platform = new TestPlatform();
    directory = new Directory(platform.trustAnchor);
    await directory.accept(await platform.directory(1, ['orders', 'carts']));
    discovery = new Discovery(directory);
  });
  afterEach(() => discovery.close());

  const row = (service: string, instanceId: string, entry: string): StoredEntry => ({
    service,
    instanceId,
    entry,
    remainingMs: 10_000,
  });
  const read = (...rows: StoredEntry[]) => discovery.accept(rows, performance.now());
  const good = async (
    service: string,
    instanceId: string,
    more: Parameters<TestPlatform['entry']>[1] = {},
  ) =>
    row(service, instanceId, await platform.entry(service, { instanceId, httpUrl: HTTP, ...more }));
  const reasons = (): RefusalReason[] => discovery.rejected().map((entry) => entry.reason);
  /** An entry with any payload, under the service's own key. */
  const signed = (service: string, payload: object) =>
    signDocument(
      'gatehouse-entry+jws',
      payload,
      readPrivateKey(platform.keyOf(service).privateKey),
    );

  it('finds the instances of a service, with what they have signed', async () => {
    await read(
      await good('orders', 'o-1', { grpcAddress: '10.0.0.1:4000' }),
      await good('orders', 'o-2'),
      await good('carts', 'c-1'),
    );
    expect(discovery.find('orders').map((instance) => instance.instanceId)).toEqual(['o-1', 'o-2']);
    expect(discovery.find('orders')[0]).toMatchObject({
      service: 'orders',
      version: '1.0.0',
      httpUrl: HTTP,
      grpcAddress: '10.0.0.1:4000',
    });
    expect(discovery.find('nobody')).toEqual([]);
    expect(discovery.instances()).toHaveLength(3);
    expect(discovery.rejected()).toEqual([]);
  });

  it('never returns a forged entry: signed by another service, by nobody we know, or not at all', async () => {
    const stranger = await new TestPlatform().entry('orders', { instanceId: 'o-2' });
    await read(
      await good('orders', 'o-1', { signedBy: 'carts' }),
      row('orders', 'o-2', stranger),
      row('orders', 'o-3', 'not a JWS'),
    );
    expect(discovery.instances()).toEqual([]);
    expect(reasons()).toEqual(['signature', 'signature', 'signature']);
  });

  it('never returns an altered entry', async () => {
    const { entry } = await good('orders', 'o-1');
    const [head, payload, signature] = entry.split('.') as [string, string, string];
    const altered = Buffer.from(payload, 'base64url').toString().replace('10.0.0.1', '10.6.6.6');
    await read(
      row('orders', 'o-1', `${head}.${Buffer.from(altered).toString('base64url')}.${signature}`),
    );
    expect(discovery.instances()).toEqual([]);
    expect(reasons()).toEqual(['signature']);
  });

  it('never returns an entry whose signature has expired, lies in the future, or lasts longer than an hour', async () => {
    const now = Date.now();
    const lasting = {
      service: 'orders',
      instance_id: 'o-3',
      version: '1',
      signed_at: now,
      expires_at: now + SIGNATURE_LIFETIME_MS + 1,
    };
    await read(
      await good('orders', 'o-1', { signedAt: new Date(now - SIGNATURE_LIFETIME_MS) }),
      await good('orders', 'o-2', { signedAt: new Date(now + 120_000) }),
      row('orders', 'o-3', await signed('orders', lasting)),
    );
    expect(discovery.instances()).toEqual([]);
    expect(reasons()).toEqual(['expired', 'expired', 'expired']);
  });

  it('drops an instance when its signature expires, though its lease goes on', async () => {
    const soon = await good('orders', 'o-1', {
      signedAt: new Date(Date.now() - SIGNATURE_LIFETIME_MS + 150),
    });
    await read(soon);
    expect(discovery.find('orders')).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(discovery.find('orders')).toEqual([]);
    await read(soon);
    expect(reasons()).toEqual(['expired']);
  });

  it('never returns a superseded entry: the latest signature of an instance wins, also over an earlier one found later', async () => {
    const signedAt = Date.now();
    const older = await good('orders', 'o-1', {
      signedAt: new Date(signedAt - 1000),
      httpUrl: 'http://10.0.0.9:1',
    });
    const newer = await good('orders', 'o-1', { signedAt: new Date(signedAt) });
    await read(older);
    await read(newer);
    expect(discovery.find('orders')).toMatchObject([{ httpUrl: HTTP }]);
    await read(older);
    expect(discovery.find('orders')).toEqual([]);
    expect(reasons()).toEqual(['superseded']);
    // Also once the instance was gone in between.
    await read();
    await read(older);
    expect(reasons()).toEqual(['superseded']);
    await read(newer);
    expect(discovery.find('orders')).toMatchObject([{ httpUrl: HTTP }]);
  });

  it("never returns an entry copied to another instance or another service's row", async () => {
    const { entry } = await good('orders', 'o-1');
    await read(row('orders', 'o-2', entry), row('carts', 'o-1', entry));
    expect(discovery.instances()).toEqual([]);
    expect(reasons()).toEqual(['misplaced', 'signature']);
  });

  it('sends nobody to the place an entry was copied to: the address is signed', async () => {
    await read(
      await good('orders', 'o-1'),
      await good('carts', 'c-1', { signedBy: 'carts', httpUrl: 'http://10.6.6.6:1' }),
    );
    expect(discovery.find('orders')).toMatchObject([{ httpUrl: HTTP }]);
  });

  it('never returns an instance of a service that the directory does not list', async () => {
    await read(await good('rogue', 'r-1'));
    expect(discovery.instances()).toEqual([]);
    expect(reasons()).toEqual(['unknown-service']);
  });

  it('drops the instances of a service the moment a directory no longer lists it, and tells its watchers', async () => {
    await read(await good('orders', 'o-1'), await good('carts', 'c-1'));
    let told = 0;
    discovery.watch(() => told++);
    await directory.accept(await platform.directory(2, ['carts']));
    expect(discovery.instances().map((instance) => instance.service)).toEqual(['carts']);
    expect(told).toBe(1);
  });

  it('drops instances that signed with a key the directory has replaced', async () => {
    const first = await good('orders', 'o-1');
    await read(first);
    const next = new TestPlatform();
    Object.assign(next, { platformKey: platform.platformKey });
    await directory.accept(await next.directory(2, ['orders']));
    expect(discovery.find('orders')).toEqual([]);
    await read(first);
    expect(reasons()).toEqual(['signature']);
    await read(row('orders', 'o-1', await next.entry('orders', { instanceId: 'o-1' })));
    expect(discovery.find('orders')).toHaveLength(1);
  });

  it.each([
    ['no service', { instance_id: 'o-1' }],
    [
      'an address that is none',
      {
        service: 'orders',
        instance_id: 'o-1',
        version: '1',
        http_url: 'file:///etc/passwd',
        signed_at: 1,
        expires_at: 2,
      },
    ],
    [
      'a gRPC address with a scheme',
      {
        service: 'orders',
        instance_id: 'o-1',
        version: '1',
        grpc_address: 'unix:/tmp/x',
        signed_at: 1,
        expires_at: 2,
      },
    ],
    [
      'a digest that is none',
      {
        service: 'orders',
        instance_id: 'o-1',
        version: '1',
        manifest_digest: 'md5:1',
        signed_at: 1,
        expires_at: 2,
      },
    ],
  ])('refuses an entry with %s', async (_, payload) => {
    await read(row('orders', 'o-1', await signed('orders', payload)));
    expect(reasons()).toEqual(['malformed']);
  });

  it('refuses the bad row alone: the others are found', async () => {
    await read(
      row('orders', 'o-0', 'junk'),
      await good('orders', 'o-1'),
      row('__proto__', 'constructor', 'junk'),
    );
    expect(discovery.find('orders')).toHaveLength(1);
    expect(reasons()).toEqual(['signature', 'unknown-service']);
  });

  it('tells watchers of changes, and only of changes', async () => {
    const rows = [await good('orders', 'o-1'), await good('carts', 'c-1')];
    let told = 0;
    const stop = discovery.watch(() => told++);
    await read(...rows);
    await read(...rows);
    await read(...rows);
    expect(told).toBe(1);
    await read(rows[0]!);
    expect(told).toBe(2);
    stop();
    await read();
    expect(told).toBe(2);
  });

  it('keeps the last known instances while the registry is away', async () => {
    await read({ ...(await good('orders', 'o-1')), remainingMs: 120 });
    discovery.registryLost();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(discovery.find('orders')).toHaveLength(1);
  });

  it('lets a lease run out between two reads, by its own clock', async () => {
    await read({ ...(await good('orders', 'o-1')), remainingMs: 120 });
    let told = 0;
    discovery.watch(() => told++);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(discovery.find('orders')).toEqual([]);
    expect(told).toBe(1);
  });
});
