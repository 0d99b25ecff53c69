import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createService, KernelModule, type RunningService } from '@gatehouse/kernel';
import { type ProvisionedDatabase, provisionedDatabase } from '@gatehouse/persistence/testing';
import { eventually } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import pg from 'pg';
import {
  Directory,
  Discovery,
  DiscoveryModule,
  discoveryPlatformSql,
  PostgresRegistryStore,
  publishDirectory,
  ViaTokens,
} from '../src/index.ts';
import { TestPlatform } from '../src/testing/index.ts';

@Module({ imports: [KernelModule.forService(), DiscoveryModule.forService()] })
class TestService {}

const SERVICES = ['orders', 'carts', 'stranger'];

describe('discovery among services on PostgreSQL', () => {
  const platform = new TestPlatform();
  let database: ProvisionedDatabase;
  let admin: pg.Client;
  const folders: string[] = [];
  const running: RunningService[] = [];
  const listed = (...names: string[]) =>
    publishDirectory({
      adminUrl: database.adminUrl,
      platformPrivateKey: platform.platformKey.privateKey,
      services: names.map((name) => ({
        name,
        prefixes: [`/v1/${name}`],
        namespace: name,
        publicKey: platform.keyOf(name).publicKey,
      })),
    });

  beforeAll(async () => {
    database = await provisionedDatabase({
      services: Object.fromEntries(SERVICES.map((service) => [service, null])),
      platformSql: discoveryPlatformSql,
    });
    admin = new pg.Client(database.adminUrl);
    await admin.connect();
    for (const service of SERVICES) {
      const folder = database.credentialsDir(service);
      await writeFile(join(folder, 'service-key'), platform.keyOf(service).privateKey);
      await writeFile(join(folder, 'trust-anchor'), platform.platformKey.publicKey);
    }
    await listed('orders', 'carts');
  }, 60_000);
  afterEach(async () => {
    await Promise.all(running.splice(0).map((service) => service.stop()));
    await listed('orders', 'carts');
  });
  afterAll(async () => {
    await admin.end();
    await database.drop();
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  });

  /** A service in this process, with the credentials of its name. */
  async function start(name: string, env: Record<string, string> = {}) {
    const packageDir = await mkdtemp(join(tmpdir(), 'gatehouse-service-'));
    folders.push(packageDir);
    await writeFile(
      join(packageDir, 'package.json'),
      JSON.stringify({ name, version: '1.2.3', gatehouse: { name, prefixes: [`/v1/${name}`] } }),
    );
    const service = await createService(TestService, {
      packageDir,
      env: {
        GATEHOUSE_PROFILE: 'embedded',
        GATEHOUSE_CREDENTIALS_DIR: database.credentialsDir(name),
        LOG_LEVEL: 'silent',
        SHUTDOWN_DRAIN_SECONDS: '0',
        ...env,
      },
    });
    running.push(service);
    return { ...service, discovery: service.app.get(Discovery), via: service.app.get(ViaTokens) };
  }
  /** An entry of orders that nobody renews. */
  async function putDead(instanceId = randomUUID()): Promise<string> {
    const store = new PostgresRegistryStore({ url: database.urlOf('orders') });
    await store.put('orders', instanceId, await platform.entry('orders', { instanceId }), 10_000);
    await store.close();
    return instanceId;
  }
  const idsOf = (discovery: Discovery) =>
    discovery.find('orders').map((instance) => instance.instanceId);

  it('finds a service that starts later within two seconds, and where it is', async () => {
    const carts = await start('carts');
    expect(carts.discovery.find('orders')).toEqual([]);
    const orders = await start('orders');
    const [found] = await eventually(
      () => {
        const instances = carts.discovery.find('orders');
        return instances.length === 1 && instances;
      },
      { timeoutMs: 2_000 },
    );
    expect(found).toMatchObject({ version: '1.2.3', httpUrl: orders.httpUrl });
  });

  it('no longer finds one that stops, at once', async () => {
    const carts = await start('carts');
    const orders = await start('orders');
    await eventually(() => expect(carts.discovery.find('orders')).toHaveLength(1));
    await orders.stop();
    await eventually(() => expect(carts.discovery.find('orders')).toEqual([]), { timeoutMs: 500 });
  });

  it('no longer finds after ten seconds one that stopped renewing, and keeps one that renews', async () => {
    const carts = await start('carts');
    await start('orders');
    const dead = await putDead();
    const renewed = performance.now();
    await eventually(() => expect(idsOf(carts.discovery)).toContain(dead));
    await sleep(8_000 - (performance.now() - renewed));
    expect(idsOf(carts.discovery)).toHaveLength(2);
    await sleep(10_100 - (performance.now() - renewed));
    expect(idsOf(carts.discovery)).not.toContain(dead);
    expect(idsOf(carts.discovery)).toHaveLength(1);
  }, 20_000);

  it('finds everyone again after the registry lost its rows', async () => {
    const carts = await start('carts');
    await start('orders');
    await eventually(() => expect(idsOf(carts.discovery)).toHaveLength(1));
    await admin.query('TRUNCATE platform.lease');
    await eventually(() => expect(idsOf(carts.discovery)).toEqual([]));
    await eventually(() => expect(idsOf(carts.discovery)).toHaveLength(1), { timeoutMs: 4_000 });
  }, 15_000);

  it('keeps the last known instances while the registry is away, longer than any lease', async () => {
    const way = await wayTo(database.urlOf('carts'));
    const carts = await start('carts', { DATABASE_URL: way.url });
    const dead = await putDead();
    await eventually(() => expect(idsOf(carts.discovery)).toContain(dead));
    await way.cut();
    await sleep(11_500);
    expect(idsOf(carts.discovery)).toContain(dead);
    await start('orders');
    await way.mend();
    await eventually(() => expect(idsOf(carts.discovery)).toHaveLength(2), { timeoutMs: 4_000 });
    // It has one more lease to register again, and nobody does.
    await eventually(() => expect(idsOf(carts.discovery)).not.toContain(dead), {
      timeoutMs: 11_000,
    });
    await carts.stop();
    await way.close();
  }, 40_000);

  it('drops the instances of a service, and refuses its Via, when the directory no longer lists it', async () => {
    const carts = await start('carts');
    const orders = await start('orders');
    await eventually(() => expect(idsOf(carts.discovery)).toHaveLength(1));
    const token = await orders.via.issue('carts');
    expect(await carts.via.verify(token)).toEqual({ service: 'orders' });
    await listed('carts');
    await eventually(() => expect(idsOf(carts.discovery)).toEqual([]), { timeoutMs: 2_000 });
    // The directory drops them at once; why an entry is refused is told at the next read of the entries.
    await eventually(() =>
      expect(carts.discovery.rejected()).toMatchObject([{ reason: 'unknown-service' }]),
    );
    await expect(carts.via.verify(token)).rejects.toThrow();
  });

  it('ignores a directory of an earlier serial that comes back', async () => {
    const old = await platform.directory(1, ['carts', 'orders', 'stranger']);
    const carts = await start('carts');
    const directory = carts.app.get(Directory);
    const { serial } = directory;
    await admin.query('UPDATE platform.directory SET document = $1', [old]);
    await admin.query("SELECT pg_notify('gatehouse_registry', '')");
    await sleep(300);
    expect(directory.serial).toBe(serial);
    expect(directory.service('stranger')).toBeUndefined();
  });

  it('does not start a service that the directory does not list, nor one with another key', async () => {
    await expect(start('stranger')).rejects.toThrow(/does not list service "stranger".*provision/);
    await expect(
      start('carts', { GATEHOUSE_SERVICE_KEY: platform.keyOf('orders').privateKey }),
    ).rejects.toThrow(/not the key that the directory lists for "carts"/);
    await expect(
      start('carts', { GATEHOUSE_TRUST_ANCHOR: new TestPlatform().platformKey.publicKey }),
    ).rejects.toThrow(/no directory that the trust anchor signed/);
  });

  it('names a key that is none, and does not repeat it', async () => {
    const error = await start('carts', { GATEHOUSE_SERVICE_KEY: 'top secret' }).catch(String);
    expect(error).toMatch(/GATEHOUSE_SERVICE_KEY: must be an Ed25519 key/);
    expect(error).not.toContain('top secret');
  });
});

/** A way to PostgreSQL that can be cut: connections are reset, new ones refused. */
async function wayTo(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const sockets = new Set<net.Socket>();
  const front = net.createServer((socket) => {
    const upstream = net.connect(Number(target.port), target.hostname);
    sockets.add(socket);
    socket.on('close', () => upstream.destroy()).on('error', () => undefined);
    upstream.on('close', () => socket.destroy()).on('error', () => undefined);
    socket.pipe(upstream).pipe(socket);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => front.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = front.address() as net.AddressInfo;
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  const cut = () =>
    new Promise<void>((resolve) => {
      front.close(() => resolve());
      for (const socket of sockets) socket.resetAndDestroy();
    });
  return { url: url.href, cut, mend: () => listen(port), close: cut };
}
