import { Resolver } from 'node:dns/promises';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createService, KernelModule } from '@gatehouse/kernel';
import { eventually, freePort } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger, Module } from '@nestjs/common';
import { Discovery, DiscoveryModule, publishDirectory, StaticRegistryStore } from '../src/index.ts';
import { PlaceResolver } from '../src/static/place.resolver.ts';
import { parsePlaces } from '../src/static/places.ts';
import { DnsServer, RegisteredService, TestPlatform } from '../src/testing/index.ts';

@Module({ imports: [KernelModule.forService(), DiscoveryModule.forService()] })
class TestService {}

Logger.overrideLogger(false);

describe('discovery by static addresses and DNS', () => {
  const platform = new TestPlatform();
  const started: { stop(): Promise<unknown> }[] = [];
  let folder: string;
  let directoryFile: string;
  let dns: DnsServer;
  /** All listen at one port, each at an address of its own, as pods do. */
  let port: number;

  const publish = (...names: string[]) =>
    publishDirectory({
      file: directoryFile,
      platformPrivateKey: platform.platformKey.privateKey,
      services: names.map((name) => ({
        name,
        prefixes: [`/v1/${name}`],
        namespace: name,
        publicKey: platform.keyOf(name).publicKey,
      })),
    });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-static-'));
    directoryFile = join(folder, 'directory.jws');
    dns = await DnsServer.start();
    port = await freePort();
    await publish('orders', 'carts');
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((each) => each.stop()));
    await dns.close();
    await rm(folder, { recursive: true });
  });

  const pod = (service: string, host: string, places = `orders=orders.shop:${port}`) => {
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([dns.address]);
    const store = new StaticRegistryStore({
      service,
      places: parsePlaces(places),
      listen: { host, port },
      directoryFile,
      resolver: new PlaceResolver(resolver),
    });
    const instance = new RegisteredService(platform, service, store, { pollMs: 200 });
    started.push(instance);
    return instance;
  };
  const crash = (instance: RegisteredService) => instance.store.close();

  it('finds the instances behind a name, and follows the name', async () => {
    const [first, second] = [pod('orders', '127.0.0.2'), pod('orders', '127.0.0.3')];
    dns.a.set('orders.shop', ['127.0.0.2']);
    await Promise.all([first.start(), second.start()]);
    const carts = await pod('carts', '127.0.0.9').watch();
    expect(carts.idsOf('orders')).toEqual([first.instanceId]);
    dns.a.set('orders.shop', ['127.0.0.2', '127.0.0.3']);
    await eventually(() =>
      expect(carts.idsOf('orders').sort()).toEqual([first.instanceId, second.instanceId].sort()),
    );
    dns.a.delete('orders.shop');
    await eventually(() => expect(carts.idsOf('orders')).toEqual([]));
  });

  it('takes the port from SRV records where the place says so', async () => {
    dns.srv.set('_discovery._tcp.orders.shop', [{ name: 'pod-1.orders.shop', port }]);
    dns.a.set('pod-1.orders.shop', ['127.0.0.2']);
    const orders = await pod('orders', '127.0.0.2').start();
    const carts = await pod('carts', '127.0.0.9', 'orders=srv:_discovery._tcp.orders.shop').watch();
    expect(carts.idsOf('orders')).toEqual([orders.instanceId]);
  });

  it('no longer finds one that leaves, at the next poll', async () => {
    dns.a.set('orders.shop', ['127.0.0.2']);
    const orders = await pod('orders', '127.0.0.2').start();
    const carts = await pod('carts', '127.0.0.9').watch();
    expect(carts.idsOf('orders')).toHaveLength(1);
    await orders.announcement.stop();
    await eventually(() => expect(carts.idsOf('orders')).toEqual([]), { timeoutMs: 1_500 });
  });

  it('no longer finds, ten seconds after its last answer, one that died and stayed in DNS', async () => {
    dns.a.set('orders.shop', ['127.0.0.2', '127.0.0.3']);
    const [first, second] = [pod('orders', '127.0.0.2'), pod('orders', '127.0.0.3')];
    await Promise.all([first.start(), second.start()]);
    const carts = await pod('carts', '127.0.0.9').watch();
    await crash(first);
    const died = performance.now();
    await sleep(5_000 - (performance.now() - died));
    expect(carts.idsOf('orders')).toHaveLength(2);
    await sleep(10_000 - (performance.now() - died));
    expect(carts.idsOf('orders')).toEqual([second.instanceId]);
  }, 20_000);

  it('keeps the last known addresses, and asks them on, while the name server fails', async () => {
    dns.a.set('orders.shop', ['127.0.0.2']);
    const orders = await pod('orders', '127.0.0.2').start();
    const carts = await pod('carts', '127.0.0.9').watch();
    dns.failing = true;
    await sleep(11_000);
    expect(carts.idsOf('orders')).toEqual([orders.instanceId]);
    await orders.announcement.stop();
    await eventually(() => expect(carts.idsOf('orders')).toEqual([]));
  }, 20_000);

  it('waits at the start for a name server that fails', async () => {
    dns.a.set('orders.shop', ['127.0.0.2']);
    dns.failing = true;
    const carts = pod('carts', '127.0.0.9');
    const watching = carts.watch();
    await expect(carts.store.list()).rejects.toThrow(/ESERVFAIL/);
    dns.failing = false;
    await watching;
    expect(carts.directory.serial).toBe(1);
  });

  it('refuses an instance that answers where another service was looked for', async () => {
    dns.a.set('orders.shop', ['127.0.0.2']);
    await pod('carts', '127.0.0.2').start();
    const watcher = await pod('carts', '127.0.0.9').watch();
    expect(watcher.idsOf('orders')).toEqual([]);
    expect(watcher.discovery.rejected()).toMatchObject([{ reason: 'signature' }]);
  });

  it('is held up by nothing that takes a connection and says nothing, or says what is no entry', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(port, '127.0.0.4', resolve));
    const junk = createServer((socket) => {
      socket.on('error', () => undefined).end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
    });
    await new Promise<void>((resolve) => junk.listen(port, '127.0.0.5', resolve));
    dns.a.set('orders.shop', ['127.0.0.4', '127.0.0.5', '127.0.0.2']);
    const orders = await pod('orders', '127.0.0.2').start();
    const carts = await pod('carts', '127.0.0.9').watch();
    expect(carts.idsOf('orders')).toEqual([orders.instanceId]);
    silent.close();
    junk.close();
  });

  it('follows the directory in its file', async () => {
    dns.a.set('orders.shop', ['127.0.0.2']);
    await pod('orders', '127.0.0.2').start();
    const carts = await pod('carts', '127.0.0.9').watch();
    expect(carts.idsOf('orders')).toHaveLength(1);
    expect(await publish('carts')).toEqual({ serial: 2, changed: true });
    expect(await publish('carts')).toEqual({ serial: 2, changed: false });
    await eventually(() => expect(carts.idsOf('orders')).toEqual([]));
    expect(carts.directory.serial).toBe(2);
  });

  /** A whole service in this process, by its environment. */
  async function start(name: string, env: Record<string, string>) {
    const packageDir = await mkdtemp(join(folder, 'service-'));
    await writeFile(
      join(packageDir, 'package.json'),
      JSON.stringify({ name, version: '1.2.3', gatehouse: { name } }),
    );
    const service = await createService(TestService, {
      packageDir,
      env: {
        GATEHOUSE_PROFILE: 'embedded',
        GATEHOUSE_SERVICE_KEY: platform.keyOf(name).privateKey,
        GATEHOUSE_TRUST_ANCHOR: platform.platformKey.publicKey,
        GATEHOUSE_DIRECTORY_FILE: directoryFile,
        LOG_LEVEL: 'silent',
        SHUTDOWN_DRAIN_SECONDS: '0',
        ENGINE_WAIT_SECONDS: '2',
        ...env,
      },
    });
    started.push(service);
    return service;
  }

  it('serves whole services that have no database and no registry', async () => {
    const DISCOVERY_STATIC = `orders=127.0.0.2:${port};carts=127.0.0.3:${port}`;
    // It wins over the others.
    const env = { DISCOVERY_STATIC, CONSUL_HTTP_ADDR: 'http://consul.invalid:8500' };
    const orders = await start('orders', { ...env, DISCOVERY_STATIC_LISTEN: `127.0.0.2:${port}` });
    const carts = await start('carts', { ...env, DISCOVERY_STATIC_LISTEN: `127.0.0.3:${port}` });
    for (const each of [orders, carts])
      await eventually(() =>
        expect(
          each.app
            .get(Discovery)
            .instances()
            .map(({ service, httpUrl }) => [service, httpUrl])
            .sort(),
        ).toEqual([
          ['carts', carts.httpUrl],
          ['orders', orders.httpUrl],
        ]),
      );
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a place that is none', { DISCOVERY_STATIC: 'orders' }, /DISCOVERY_STATIC: "orders" is not/],
    [
      'no file of a directory',
      { DISCOVERY_STATIC: 'orders=127.0.0.2', GATEHOUSE_DIRECTORY_FILE: '' },
      /GATEHOUSE_DIRECTORY_FILE: is required/,
    ],
    [
      'a file that cannot be read',
      { DISCOVERY_STATIC: 'orders=127.0.0.2', GATEHOUSE_DIRECTORY_FILE: '/' },
      /see GATEHOUSE_DIRECTORY_FILE: the directory \/ cannot be read/,
    ],
  ])('does not start with %s', async (_, env, message) => {
    await expect(start('orders', env)).rejects.toThrow(message);
  });

  it('does not start where its address is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.6', resolve));
    const env = {
      DISCOVERY_STATIC: 'carts=127.0.0.3',
      DISCOVERY_STATIC_LISTEN: `127.0.0.6:${port}`,
    };
    await expect(start('orders', env)).rejects.toThrow(
      /DISCOVERY_STATIC_LISTEN cannot be listened on/,
    );
    other.close();
  });
});
