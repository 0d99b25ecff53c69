import { setTimeout as sleep } from 'node:timers/promises';
import { Metrics } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Announcement } from './announcement.ts';
import { DiscoveryMetrics } from './discovery.metrics.ts';
import { verifyEntry } from './documents/instance.entry.ts';
import { readPrivateKey, readPublicKey } from './documents/keys.ts';
import { MemoryRegistry, MemoryRegistryStore } from './testing/memory-registry.store.ts';
import { TestPlatform } from './testing/test-platform.ts';

const DIGEST = `sha-256:${'ab'.repeat(32)}`;
const TIMES = { lease: 400, renew: 100, retry: 50, resign: 60_000 };

Logger.overrideLogger(false);

describe('Announcement', () => {
  const platform = new TestPlatform();
  const keys = platform.keyOf('orders');
  let registry: MemoryRegistry;
  let store: MemoryRegistryStore;
  let announcement: Announcement;

  const announce = (times = TIMES) =>
    new Announcement(
      store,
      {
        service: 'orders',
        instanceId: 'o-1',
        version: '2.0.0',
        key: readPrivateKey(keys.privateKey),
        addresses: () => ({
          httpUrl: 'http://127.0.0.1:3000',
          grpcAddress: '127.0.0.1:4000',
          adminUrl: 'http://127.0.0.1:5000',
        }),
      },
      new DiscoveryMetrics(new Metrics()),
      times,
    );
  beforeEach(() => {
    registry = new MemoryRegistry();
    store = new MemoryRegistryStore(registry, 'orders');
    announcement = announce();
  });
  afterEach(() => announcement.stop());

  const listed = async () => {
    const rows = await store.list();
    return Promise.all(rows.map((row) => verifyEntry(row.entry, readPublicKey(keys.publicKey))));
  };

  it('signs where this instance is and which manifest it serves', async () => {
    announcement.set({ bytes: new Uint8Array(), digest: DIGEST });
    await announcement.start();
    expect(await listed()).toMatchObject([
      {
        service: 'orders',
        instanceId: 'o-1',
        version: '2.0.0',
        httpUrl: 'http://127.0.0.1:3000',
        grpcAddress: '127.0.0.1:4000',
        adminUrl: 'http://127.0.0.1:5000',
        manifestDigest: DIGEST,
      },
    ]);
  });

  it('renews the lease without signing again', async () => {
    await announcement.start();
    const [before] = await store.list();
    await sleep(600);
    const [after] = await store.list();
    expect(after?.entry).toBe(before?.entry);
  });

  it('signs again in time, later than before', async () => {
    announcement = announce({ ...TIMES, resign: 150 });
    await announcement.start();
    const [before] = await listed();
    await eventually(async () => {
      const [after] = await listed();
      expect(after!.signedAt.getTime()).toBeGreaterThan(before!.signedAt.getTime());
    });
  });

  it('announces another manifest with the next beat', async () => {
    await announcement.start();
    announcement.set({ bytes: new Uint8Array(), digest: DIGEST });
    await eventually(async () =>
      expect(await listed()).toMatchObject([{ manifestDigest: DIGEST }]),
    );
  });

  it('registers again after the registry lost its rows', async () => {
    await announcement.start();
    registry.loseRows();
    expect(await listed()).toEqual([]);
    await eventually(async () => expect(await listed()).toHaveLength(1), { timeoutMs: 1_000 });
  });

  it('starts while the registry is away, and registers when it is back', async () => {
    registry.down = true;
    await announcement.start();
    registry.down = false;
    await eventually(async () => expect(await listed()).toHaveLength(1), { timeoutMs: 1_000 });
  });

  it('leaves at once, and does not come back', async () => {
    await announcement.start();
    await announcement.stop();
    expect(await store.list()).toEqual([]);
    await sleep(250);
    expect(await store.list()).toEqual([]);
  });

  it('stops without an error where the registry is away', async () => {
    await announcement.start();
    registry.down = true;
    await announcement.stop();
  });
});
