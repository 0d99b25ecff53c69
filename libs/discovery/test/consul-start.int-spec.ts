import { writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createService, Health, KernelModule, type RunningService } from '@gatehouse/kernel';
import {
  describeWithEngines,
  engineSet,
  type EngineSet,
  ENGINES_START_MS,
  eventually,
  freePort,
  TestAuthority,
} from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Discovery, DiscoveryModule, publishDirectory } from '../src/index.ts';
import { SecuredConsul, TestPlatform } from '../src/testing/index.ts';

@Module({ imports: [KernelModule.forService(), DiscoveryModule.forService()] })
class TestService {}

const platform = new TestPlatform();
const folders: string[] = [];
const running: RunningService[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.stop()));
});
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const directoryOf = (...names: string[]) => ({
  platformPrivateKey: platform.platformKey.privateKey,
  services: names.map((name) => ({
    name,
    prefixes: [`/v1/${name}`],
    namespace: name,
    publicKey: platform.keyOf(name).publicKey,
  })),
});

/** A service in this process. */
async function start(env: Record<string, string>) {
  const packageDir = await mkdtemp(join(tmpdir(), 'gatehouse-service-'));
  folders.push(packageDir);
  await writeFile(
    join(packageDir, 'package.json'),
    JSON.stringify({ name: 'orders', version: '1.2.3', gatehouse: { name: 'orders' } }),
  );
  const service = await createService(TestService, {
    packageDir,
    env: {
      GATEHOUSE_PROFILE: 'embedded',
      GATEHOUSE_SERVICE_KEY: platform.keyOf('orders').privateKey,
      GATEHOUSE_TRUST_ANCHOR: platform.platformKey.publicKey,
      LOG_LEVEL: 'silent',
      SHUTDOWN_DRAIN_SECONDS: '0',
      ENGINE_WAIT_SECONDS: '3',
      ...env,
    },
  });
  running.push(service);
  return service;
}

describe('a start that CONSUL_HTTP_ADDR or what belongs to it forbids', () => {
  const message = (env: Record<string, string>) =>
    start(env).then(
      () => 'started',
      (error: unknown) => (error as Error).message,
    );

  it('names an address that is none', async () => {
    expect(await message({ CONSUL_HTTP_ADDR: 'redis://127.0.0.1:6379' })).toMatch(
      /CONSUL_HTTP_ADDR: must be http:\/\/host:port or https/,
    );
    expect(await message({ CONSUL_HTTP_ADDR: 'http://u:secret@127.0.0.1:8500' })).toMatch(
      /^(?!.*secret).*CONSUL_HTTP_ADDR: must hold no credentials/s,
    );
  });

  it('names variables of TLS that do not go together', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\n';
    expect(
      await message({ CONSUL_HTTP_ADDR: 'http://127.0.0.1:8500', CONSUL_TLS_CA: pem }),
    ).toMatch(/CONSUL_TLS_CA: is set, yet CONSUL_HTTP_ADDR does not begin https/);
    expect(
      await message({ CONSUL_HTTP_ADDR: 'https://127.0.0.1:8500', CONSUL_TLS_CERT: pem }),
    ).toMatch(/CONSUL_TLS_KEY: CONSUL_TLS_CERT and CONSUL_TLS_KEY are needed together/);
  });

  it('does not wait for a host that does not resolve', async () => {
    const began = performance.now();
    expect(
      await message({ CONSUL_HTTP_ADDR: 'http://consul.invalid:8500', ENGINE_WAIT_SECONDS: '60' }),
    ).toMatch(/Consul at http:\/\/consul.invalid:8500.*the host of CONSUL_HTTP_ADDR does not/s);
    expect(performance.now() - began).toBeLessThan(30_000);
  }, 40_000);

  it('does not wait where something else answers', async () => {
    const other = createServer((_, response) => response.end('<html>hello</html>'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    expect(await message({ CONSUL_HTTP_ADDR: `127.0.0.1:${port}` })).toMatch(
      /what answers at CONSUL_HTTP_ADDR is not Consul/,
    );
    other.closeAllConnections();
    other.close();
  });

  it('does not wait where what answers does not even speak HTTP', async () => {
    const other = createTcpServer((socket) =>
      socket.on('error', () => undefined).end('-ERR unknown command\r\n\r\n'),
    );
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    expect(await message({ CONSUL_HTTP_ADDR: `http://127.0.0.1:${port}` })).toMatch(
      /CONSUL_HTTP_ADDR does not speak HTTP/,
    );
    other.close();
  });

  it('waits for one that is not there, within its bound, and says so', async () => {
    const port = await freePort();
    expect(
      await message({ CONSUL_HTTP_ADDR: `http://127.0.0.1:${port}`, ENGINE_WAIT_SECONDS: '1' }),
    ).toMatch(
      new RegExp(
        `Consul does not answer at http://127.0.0.1:${port} \\(CONSUL_HTTP_ADDR\\), waited 1 s: .*ECONNREFUSED`,
        's',
      ),
    );
  });
});

describeWithEngines(['consul'], () => {
  describe('a start on Consul with ACLs', () => {
    let consul: SecuredConsul;
    beforeAll(async () => {
      consul = await SecuredConsul.start(['orders', 'carts']);
      await publishDirectory({ consul: consul.adminOptions, ...directoryOf('orders', 'carts') });
    }, ENGINES_START_MS);
    afterAll(() => consul.end());

    it('needs no database, and shows Consul beside readiness', async () => {
      const service = await start({
        CONSUL_HTTP_ADDR: consul.address,
        CONSUL_HTTP_TOKEN: consul.tokenOf('orders'),
      });
      const discovery = service.app.get(Discovery);
      await eventually(() =>
        expect(discovery.find('orders')).toMatchObject([{ httpUrl: service.httpUrl }]),
      );
      const { body } = await service.app.get(Health).ready();
      expect(body.dependencies).toEqual({ consul: { status: 'up' } });
    });

    it.each([
      ['without a token', {}],
      ['with a token that Consul does not know', { CONSUL_HTTP_TOKEN: 'not-a-token' }],
    ])('does not wait %s', async (_, env) => {
      const error = await start({ CONSUL_HTTP_ADDR: consul.address, ...env }).catch(String);
      expect(error).toMatch(/Consul at .* CONSUL_HTTP_TOKEN is missing, unknown or may not/s);
      expect(error).not.toContain('not-a-token');
    });

    it('does not start a service with the token of another', async () => {
      await expect(
        start({ CONSUL_HTTP_ADDR: consul.address, CONSUL_HTTP_TOKEN: consul.tokenOf('carts') }),
      ).rejects.toThrow(
        /announce this instance.*CONSUL_HTTP_TOKEN is missing, unknown or may not/s,
      );
    });

    it('publishes a directory once, and again only where it says something else', async () => {
      const publish = (...names: string[]) =>
        publishDirectory({ consul: consul.adminOptions, ...directoryOf(...names) });
      const { serial } = await publish('orders', 'carts');
      expect(await publish('carts', 'orders')).toEqual({ serial, changed: false });
      expect(await publish('orders')).toEqual({ serial: serial + 1, changed: true });
      expect(await publish('orders', 'carts')).toEqual({ serial: serial + 2, changed: true });
    });

    it('gives each of several provisioners at once a serial of its own', async () => {
      const names = Array.from({ length: 5 }, (_, n) => `service-${n}`);
      const published = await Promise.all(
        names.map((name) =>
          publishDirectory({ consul: consul.adminOptions, ...directoryOf('orders', name) }),
        ),
      );
      expect(new Set(published.map(({ serial }) => serial)).size).toBe(5);
    });

    it('publishes no directory with the token of a service', async () => {
      await expect(
        publishDirectory({ consul: consul.optionsOf('orders'), ...directoryOf('orders') }),
      ).rejects.toThrow('403');
    });
  });

  describe('a start on Consul with TLS', () => {
    let authority: TestAuthority;
    let stranger: TestAuthority;
    let set: EngineSet;
    let address: string;
    beforeAll(async () => {
      [authority, stranger] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
      const { certFile, keyFile } = await authority.issue('consul');
      const settings = join(authority.folder, 'tls.json');
      set = await engineSet(['consul'], {
        settings: { CONSUL_CONF_EXTRA: settings },
        settingsOf: ({ consul }) => {
          address = `https://localhost:${consul + 3}`;
          const tls = { ca_file: authority.caFile, cert_file: certFile, key_file: keyFile };
          const config = {
            ports: { https: consul + 3 },
            tls: { defaults: tls, https: { verify_incoming: true } },
          };
          writeFileSync(settings, JSON.stringify(config));
          return {};
        },
      });
      await publishDirectory({
        consul: { address: set.env.CONSUL_HTTP_ADDR ?? '' },
        ...directoryOf('orders'),
      });
    }, ENGINES_START_MS);
    afterAll(async () => {
      await set.end();
      await Promise.all([authority.remove(), stranger.remove()]);
    });

    it('starts with its authority and a certificate of its own', async () => {
      const { cert, key } = await authority.issue('orders');
      const service = await start({
        CONSUL_HTTP_ADDR: address,
        CONSUL_TLS_CA: authority.ca,
        CONSUL_TLS_CERT: cert,
        CONSUL_TLS_KEY: key,
      });
      await eventually(() =>
        expect(service.app.get(Discovery).find('orders')).toMatchObject([
          { httpUrl: service.httpUrl },
        ]),
      );
    });

    it('does not wait for a certificate that nobody it trusts has signed', async () => {
      await expect(start({ CONSUL_HTTP_ADDR: address })).rejects.toThrow(/see CONSUL_TLS_CA/);
      await expect(
        start({ CONSUL_HTTP_ADDR: address, CONSUL_TLS_CA: stranger.ca }),
      ).rejects.toThrow(/its certificate is not trusted; see CONSUL_TLS_CA/);
    });

    it('does not wait where Consul asks for a certificate and gets none it trusts', async () => {
      await expect(
        start({ CONSUL_HTTP_ADDR: address, CONSUL_TLS_CA: authority.ca }),
      ).rejects.toThrow(/see CONSUL_TLS_CERT and CONSUL_TLS_KEY/);
    });

    it('names the protocol that was mixed up', async () => {
      await expect(start({ CONSUL_HTTP_ADDR: address.replace('https:', 'http:') })).rejects.toThrow(
        /CONSUL_HTTP_ADDR must begin https/,
      );
      await expect(
        start({ CONSUL_HTTP_ADDR: (set.env.CONSUL_HTTP_ADDR ?? '').replace('http:', 'https:') }),
      ).rejects.toThrow(/CONSUL_HTTP_ADDR does not speak TLS/);
    });
  });
});
