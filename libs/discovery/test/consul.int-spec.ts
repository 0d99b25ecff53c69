import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithEngines, ENGINES_START_MS, eventually } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ConsulRegistryStore, publishDirectory } from '../src/index.ts';
import { RegisteredService, SecuredConsul, TestPlatform } from '../src/testing/index.ts';

Logger.overrideLogger(false);

const SERVICES = ['orders', 'carts'];

describeWithEngines(['consul'], () => {
  describe('discovery on Consul', () => {
    const platform = new TestPlatform();
    const started: RegisteredService[] = [];
    let consul: SecuredConsul;
    let carts: RegisteredService;

    const publish = (serialAbove = 0) =>
      publishDirectory({
        consul: consul.adminOptions,
        platformPrivateKey: platform.platformKey.privateKey,
        serialAbove,
        services: SERVICES.map((name) => ({
          name,
          prefixes: [`/v1/${name}`],
          namespace: name,
          publicKey: platform.keyOf(name).publicKey,
        })),
      });
    const registered = (service: string) => {
      const instance = new RegisteredService(
        platform,
        service,
        new ConsulRegistryStore(consul.optionsOf(service)),
      );
      started.push(instance);
      return instance;
    };
    /** An entry of orders that nobody renews. */
    const putDead = async (instanceId: string) => {
      const store = new ConsulRegistryStore(consul.optionsOf('orders'));
      await store.put('orders', instanceId, await platform.entry('orders', { instanceId }), 10_000);
      await store.close();
    };

    beforeAll(async () => {
      consul = await SecuredConsul.start(SERVICES);
      await publish();
    }, ENGINES_START_MS);
    beforeEach(async () => {
      carts = await registered('carts').watch();
    });
    afterEach(async () => {
      await Promise.all(started.splice(0).map((instance) => instance.stop()));
      await consul.deregisterAll();
    }, 20_000);
    afterAll(() => consul.end());

    it('finds an instance within two seconds, and no longer finds one that stops', async () => {
      const orders = await registered('orders').start();
      await eventually(() => expect(carts.idsOf('orders')).toEqual([orders.instanceId]), {
        timeoutMs: 2_000,
      });
      await orders.announcement.stop();
      await eventually(() => expect(carts.idsOf('orders')).toEqual([]), { timeoutMs: 1_000 });
    });

    it('shows people the version and the address, and keeps the entry in the meta', async () => {
      const orders = await registered('orders').start();
      const { text } = await consul.admin.request('GET', '/v1/health/service/orders');
      const [{ Service }] = JSON.parse(text) as [{ Service: Record<string, unknown> }];
      expect(Service).toMatchObject({
        ID: `orders:${orders.instanceId}`,
        Tags: ['gatehouse', 'version=1.2.3'],
        Address: '127.0.0.1',
        Port: 3000,
      });
    });

    it('no longer finds ten seconds after its last renewal one that died, and keeps one that renews', async () => {
      const orders = await registered('orders').start();
      const began = performance.now();
      await putDead('dead');
      await eventually(() => expect(carts.idsOf('orders')).toContain('dead'));
      await sleep(7_000 - (performance.now() - began));
      expect(carts.idsOf('orders')).toContain('dead');
      await sleep(10_000 - (performance.now() - began));
      expect(carts.idsOf('orders')).toEqual([orders.instanceId]);
    }, 20_000);

    it('finds at once an instance that had run out and comes back', async () => {
      await putDead('sleeper');
      await eventually(() => expect(carts.idsOf('orders')).toEqual(['sleeper']));
      await eventually(() => expect(carts.idsOf('orders')).toEqual([]), { timeoutMs: 11_000 });
      await putDead('sleeper');
      await eventually(() => expect(carts.idsOf('orders')).toEqual(['sleeper']), {
        timeoutMs: 1_000,
      });
    }, 20_000);

    it('does not find instances of a machine that Consul holds for dead, though their leases cannot run out', async () => {
      const instanceId = 'on-a-dead-machine';
      const entry = await platform.entry('orders', { instanceId });
      await putDead(instanceId);
      const { text } = await consul.admin.request('GET', '/v1/health/service/orders');
      const [{ Service, Checks }] = JSON.parse(text) as [
        { Service: Record<string, unknown>; Checks: Record<string, unknown>[] },
      ];
      expect(entry).toBeDefined();
      const register = (status: string) =>
        consul.admin.request('PUT', '/v1/catalog/register', {
          body: {
            Node: 'gone',
            Address: '10.0.0.9',
            Service: { ...Service, Service: 'orders', ID: 'orders:other' },
            Checks: [
              {
                ...Checks.find((check) => check.ServiceID !== ''),
                Node: 'gone',
                CheckID: 'service:orders:other',
                ServiceID: 'orders:other',
                Status: 'passing',
              },
              { Node: 'gone', CheckID: 'serfHealth', Name: 'Serf', Status: status },
            ],
          },
        });
      const listed = async () =>
        (await carts.store.list()).map((row) => row.instanceId).filter((id) => id === 'other');
      await register('passing');
      expect(await listed()).toEqual(['other']);
      await register('critical');
      expect(await listed()).toEqual([]);
      await consul.admin.request('PUT', '/v1/catalog/deregister', { body: { Node: 'gone' } });
    });

    it('finds 50 instances that start at once, all of them, within one lease', async () => {
      const fifty = Array.from({ length: 50 }, () => registered('orders'));
      await Promise.all(fifty.map((instance) => instance.start()));
      const ids = fifty.map((instance) => instance.instanceId).sort();
      await eventually(() => expect(carts.idsOf('orders').sort()).toEqual(ids), {
        timeoutMs: 10_000,
      });
    }, 60_000);

    it('keeps the last known instances while Consul is paused, whose reads time out soon', async () => {
      const orders = await registered('orders').start();
      await eventually(() => expect(carts.idsOf('orders')).toHaveLength(1));
      await consul.set.pause('consul');
      try {
        const began = performance.now();
        await expect(carts.store.list()).rejects.toThrow();
        expect(performance.now() - began).toBeLessThan(3_000);
        await sleep(12_000);
        expect(carts.idsOf('orders')).toEqual([orders.instanceId]);
      } finally {
        await consul.set.resume('consul');
      }
      const store = new ConsulRegistryStore(consul.optionsOf('orders'));
      await eventually(async () => expect(await store.list()).toHaveLength(1), {
        timeoutMs: 15_000,
      });
      await store.close();
      expect(carts.idsOf('orders')).toEqual([orders.instanceId]);
    }, 60_000);

    it('keeps them while Consul is killed for longer than any lease, and finds news again after it', async () => {
      const orders = await registered('orders').start();
      await eventually(() => expect(carts.idsOf('orders')).toHaveLength(1));
      await consul.set.kill('consul');
      await sleep(12_000);
      expect(carts.idsOf('orders')).toEqual([orders.instanceId]);
      await consul.set.start('consul');
      const later = await registered('orders').start();
      const both = [orders.instanceId, later.instanceId].sort();
      await eventually(() => expect(carts.idsOf('orders').sort()).toEqual(both), {
        timeoutMs: 10_000,
      });
      await putDead('dead');
      await eventually(() => expect(carts.idsOf('orders')).toContain('dead'));
      await eventually(() => expect(carts.idsOf('orders').sort()).toEqual(both), {
        timeoutMs: 11_000,
      });
    }, 90_000);

    it('finds everyone again, and never loses them, after Consul lost its data', async () => {
      const orders = await registered('orders').start();
      await eventually(() => expect(carts.idsOf('orders')).toHaveLength(1));
      const { serial } = carts.directory;
      const missing: number[] = [];
      const stopWatching = carts.discovery.watch(() => {
        if (carts.idsOf('orders').length === 0) missing.push(performance.now());
      });
      await consul.loseData();
      expect(await publish(serial)).toEqual({ serial: serial + 1, changed: true });
      const fresh = new ConsulRegistryStore(consul.optionsOf('carts'));
      await eventually(
        async () =>
          expect((await fresh.list()).map((row) => row.instanceId)).toEqual([orders.instanceId]),
        { timeoutMs: 10_000 },
      );
      await fresh.close();
      await eventually(() => expect(carts.directory.serial).toBe(serial + 1));
      expect(carts.idsOf('orders')).toEqual([orders.instanceId]);
      expect(missing).toEqual([]);
      stopWatching();
    }, 90_000);
  });
});
