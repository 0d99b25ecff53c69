import { setTimeout as sleep } from 'node:timers/promises';
import { Metrics } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Directory } from './directory.ts';
import { Discovery } from './discovery.ts';
import { DiscoveryMetrics } from './discovery.metrics.ts';
import { RegistryFollower } from './registry.follower.ts';
import { MemoryRegistry, MemoryRegistryStore } from './testing/memory-registry.store.ts';
import { TestPlatform } from './testing/test-platform.ts';

Logger.overrideLogger(false);

describe('RegistryFollower', () => {
  const platform = new TestPlatform();
  let registry: MemoryRegistry;
  let directory: Directory;
  let discovery: Discovery;
  let follower: RegistryFollower;

  beforeEach(async () => {
    registry = new MemoryRegistry();
    registry.directory = await platform.directory(1, ['orders', 'carts']);
    directory = new Directory(platform.trustAnchor);
    discovery = new Discovery(directory);
    follower = followerWith(1_000);
  });
  afterEach(() => follower.stop());

  const followerWith = (pollMs: number) =>
    new RegistryFollower(
      new MemoryRegistryStore(registry, 'carts'),
      directory,
      discovery,
      new DiscoveryMetrics(new Metrics()),
      pollMs,
    );
  const orders = () => new MemoryRegistryStore(registry, 'orders');
  const put = async (instanceId = 'o-1') =>
    orders().put('orders', instanceId, await platform.entry('orders', { instanceId }), 10_000);

  it('has directory and instances when it has started', async () => {
    await put();
    await follower.start();
    expect(directory.serial).toBe(1);
    expect(discovery.find('orders')).toHaveLength(1);
  });

  it('follows a notice at once', async () => {
    await follower.start();
    await put();
    await eventually(() => expect(discovery.find('orders')).toHaveLength(1), { timeoutMs: 500 });
    await orders().remove('orders', 'o-1');
    await eventually(() => expect(discovery.find('orders')).toEqual([]), { timeoutMs: 500 });
    registry.writeDirectory(await platform.directory(2, ['carts']));
    await eventually(() => expect(directory.serial).toBe(2), { timeoutMs: 500 });
  });

  it('finds by polling what no notice told of', async () => {
    follower = followerWith(150);
    await follower.start();
    registry.watchers.clear();
    await put();
    await eventually(() => expect(discovery.find('orders')).toHaveLength(1), { timeoutMs: 1_000 });
  });

  it('reads a burst of notices in few reads', async () => {
    await follower.start();
    let reads = 0;
    const list = MemoryRegistryStore.prototype.list;
    MemoryRegistryStore.prototype.list = function (this: MemoryRegistryStore) {
      reads++;
      return list.call(this);
    };
    try {
      for (let n = 0; n < 50; n++) await put(`o-${n}`);
      await eventually(() => expect(discovery.find('orders')).toHaveLength(50));
    } finally {
      MemoryRegistryStore.prototype.list = list;
    }
    expect(reads).toBeLessThan(10);
  });

  it('keeps what it knows while the registry is away, and goes on when it is back', async () => {
    follower = followerWith(100);
    await put();
    await follower.start();
    registry.down = true;
    await sleep(400);
    expect(discovery.find('orders')).toHaveLength(1);
    registry.down = false;
    await put('o-2');
    await eventually(() => expect(discovery.find('orders')).toHaveLength(2));
  });

  it('waits at start for a registry that is not up yet', async () => {
    registry.down = true;
    setTimeout(() => (registry.down = false), 400);
    await follower.start();
    expect(directory.serial).toBe(1);
  });

  it('stops the start at once with what the check of the first read throws', async () => {
    const check = () => {
      if (!directory.service('late')) throw new Error('late is not listed');
    };
    await expect(follower.start(check)).rejects.toThrow('late is not listed');
  });

  it('counts what it reads and what it refuses, by reason', async () => {
    await put();
    await orders().put('orders', 'bad', 'junk', 10_000);
    await follower.start();
    const metrics = new Metrics();
    const valuesOf = async (name: string) => (await metrics.gauge(name, '').get()).values;
    expect(await valuesOf('discovery_instances')).toMatchObject([
      { labels: { upstream: 'orders' }, value: 1 },
    ]);
    const rejected = await valuesOf('discovery_rejected_entries');
    expect(rejected.filter(({ value }) => value !== 0)).toMatchObject([
      { labels: { reason: 'signature' }, value: 1 },
    ]);
    expect(await valuesOf('discovery_directory_serial')).toMatchObject([{ value: 1 }]);
  });
});
