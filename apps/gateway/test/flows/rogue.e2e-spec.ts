import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateServiceKey, publicKeyOf, publishDirectory } from '@gatehouse/discovery';
import { findWorkspace, listServices } from '@gatehouse/launcher';
import { eventually } from '@gatehouse/testing';
import { describePlatforms, type Login, type TestPlatform } from '@gatehouse/testing-platform';
import pg from 'pg';
import { auditEntries } from './support/audit-log.ts';
import { Diagnostics } from './support/diagnostics.ts';
import { type WritableRegistry, writableRegistryOf } from './support/registry.ts';
import { Rogue } from './support/rogue.ts';
import { signEntry, signVia } from './support/signing.ts';
import { millisecondsUntil } from './support/stopwatch.ts';

jest.setTimeout(120_000);

describePlatforms((start) => {
  let platform: TestPlatform;
  let administrator: Login;
  let registry: WritableRegistry;
  beforeAll(async () => {
    platform = await start();
    administrator = await platform.loginAsAdministrator();
    registry = writableRegistryOf(platform);
  });
  afterAll(() => platform.stop());

  /**
   * The registry is not trusted: here the rogue may write anything into it, as a superuser of the database could. What it does
   * not have is the key of a service it wants to be.
   */
  describe('a rogue process in the registry', () => {
    let diagnostics: Diagnostics;
    let rogue: Rogue;
    beforeAll(() => {
      diagnostics = new Diagnostics(platform.adminUrlOf('gateway'));
    });
    beforeEach(async () => {
      rogue = await new Rogue(manifestOf('audit', '/v1/users/me')).listen();
    });
    afterEach(async () => {
      rogue.close();
      await registry.withdraw();
    });

    const keyOf = (service: string) =>
      readFileSync(join(platform.credentialsDirOf(service), 'service-key'), 'utf8');

    const addressesOf = (it: Rogue) => ({ httpUrl: it.httpUrl, grpcAddress: it.grpcAddress });

    const untilRejected = (instanceId: string, reason: string) =>
      eventually(async () => {
        const entry = (await diagnostics.rejected()).find(
          (each) => each.instance_id === instanceId,
        );
        expect(entry?.reason).toBe(reason);
      });

    /** Requests through every service, over HTTP and gRPC (a login asks Identity, a write reaches Audit). */
    const expectNothingReachesIt = async (): Promise<void> => {
      for (let n = 0; n < 20; n++) {
        const { status, body } = await administrator.client.get('/v1/users/me');
        expect([status, body.id]).toEqual([200, platform.administrator.userId]);
      }
      await platform.loginAsAdministrator();
      expect((await administrator.client.get('/v1/roles')).status).toBe(200);
      const { status, body } = await administrator.client.post<{ id: string }>('/v1/users', {
        email: `${randomUUID()}@example.com`,
        display_name: 'Created meanwhile',
      });
      expect(status).toBe(201);
      await auditEntries(administrator.client, { target: body.id });
      expect(rogue.requests).toEqual([]);
      expect(rogue.connections).toBe(0);
    };

    it('with an entry of its own, for a service nobody knows, gets no route', async () => {
      const { privateKey } = generateServiceKey();
      const instanceId = `rogue-${randomUUID()}`;
      await registry.put(
        'orders',
        instanceId,
        signEntry({ service: 'orders', instanceId, ...addressesOf(rogue) }, privateKey),
      );
      await untilRejected(instanceId, 'unknown-service');
      expect((await administrator.client.get('/v1/orders')).status).toBe(404);
      await expectNothingReachesIt();
    });

    it('with an entry of its own, under the name of a service, gets no call', async () => {
      const { privateKey } = generateServiceKey();
      for (const service of ['identity', 'audit', 'authz']) {
        const instanceId = `rogue-${randomUUID()}`;
        await registry.put(
          service,
          instanceId,
          signEntry({ service, instanceId, ...addressesOf(rogue) }, privateKey),
        );
        await untilRejected(instanceId, 'signature');
      }
      await expectNothingReachesIt();
    });

    it("with another's entry, altered to its own address, gets no call", async () => {
      const entry = await registry.entryOf('identity');
      const [header, payload = '', signature] = entry.split('.');
      const stated = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
      const instanceId = `rogue-${randomUUID()}`;
      const altered = {
        ...stated,
        instance_id: instanceId,
        http_url: rogue.httpUrl,
        grpc_address: rogue.grpcAddress,
      };
      const forged = [
        header,
        Buffer.from(JSON.stringify(altered)).toString('base64url'),
        signature,
      ];
      await registry.put('identity', instanceId, forged.join('.'));
      await untilRejected(instanceId, 'signature');
      await expectNothingReachesIt();
    });

    it("with another's entry, copied as it is, gets no call", async () => {
      const entry = await registry.entryOf('identity');
      const rows = { identity: 'misplaced', audit: 'signature' };
      for (const [service, reason] of Object.entries(rows)) {
        const instanceId = `rogue-${randomUUID()}`;
        await registry.put(service, instanceId, entry);
        await untilRejected(instanceId, reason);
      }
      await expectNothingReachesIt();
    });

    it('with the key of one service gets no route of another', async () => {
      const instanceId = `rogue-${randomUUID()}`;
      await registry.put(
        'audit',
        instanceId,
        signEntry(
          {
            service: 'audit',
            instanceId,
            httpUrl: rogue.httpUrl,
            manifestDigest: rogue.manifestDigest,
          },
          keyOf('audit'),
        ),
      );
      await eventually(async () => {
        expect(JSON.stringify(await diagnostics.refusedRoutes())).toContain('/v1/users/me');
      });
      for (let n = 0; n < 30; n++) {
        const { body } = await administrator.client.get('/v1/users/me');
        expect(body.id).toBe(platform.administrator.userId);
      }
      expect(rogue.requests.filter((request) => !request.includes('/.well-known/'))).toEqual([]);
    });

    it("a service's own role cannot write the entry of another, nor the directory", async () => {
      const url = readFileSync(join(platform.credentialsDirOf('audit'), 'database-url'), 'utf8');
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        for (const statement of [
          `SELECT platform.lease_put('identity', 'rogue-x', 'entry', 10000)`,
          `SELECT platform.lease_remove('identity', 'x')`,
          `SELECT platform.directory_write(1000, 'document')`,
          `INSERT INTO platform.lease VALUES ('audit', 'rogue-x', 'entry', now())`,
        ]) {
          await expect(client.query(statement)).rejects.toThrow(/permission denied|may not write/);
        }
      } finally {
        await client.end();
      }
    });
  });

  describe('a service removed from the directory', () => {
    /** The provisioner keeps it: a registry may have been put back. */
    let serial = 0;
    const publish = async (keep: (service: string) => boolean): Promise<void> => {
      const services = listServices(findWorkspace(import.meta.dirname)).filter(({ name }) =>
        keep(name),
      );
      ({ serial } = await publishDirectory({
        ...registry.target,
        serialAbove: serial,
        platformPrivateKey: platformKey(),
        services: services.map(({ name, prefixes, namespace }) => ({
          name,
          prefixes,
          namespace,
          publicKey: publicKeyOf(
            readFileSync(join(platform.credentialsDirOf(name), 'service-key'), 'utf8'),
          ),
        })),
      }));
    };
    const platformKey = () =>
      readFileSync(join(platform.credentialsDirOf('platform'), 'platform-key'), 'utf8');
    const status = async () => (await administrator.client.get('/v1/audit/entries')).status;
    const calledByAudit = async () => {
      const key = readFileSync(join(platform.credentialsDirOf('audit'), 'service-key'), 'utf8');
      const answer = await fetch(`${platform.httpUrlOf('identity')}/v1/users/me`, {
        headers: {
          authorization: `Bearer ${administrator.accessToken}`,
          'gatehouse-via': signVia({ iss: 'audit', aud: 'identity' }, key),
        },
      });
      return answer.status;
    };

    it('loses its routes, and its word is believed no more, while it runs on', async () => {
      await eventually(async () => {
        const { status: before, body } = await administrator.client.get('/v1/audit/entries');
        expect({ before, body }).toMatchObject({ before: 200 });
        expect(await calledByAudit()).toBe(200);
      });
      const old = await registry.readDirectory();
      await publish((name) => name !== 'audit');
      expect(await millisecondsUntil(async () => (await status()) === 404)).toBeLessThan(2_000);
      await eventually(async () => (await calledByAudit()) === 401);
      expect(platform.instance('audit').running).toBe(true);

      // Written back, the old directory changes nothing: the highest serial seen counts.
      await registry.restoreDirectory(old);
      const until = performance.now() + 1_500;
      while (performance.now() < until) expect(await status()).toBe(404);
    });

    it('has them back when it is listed again', async () => {
      await publish(() => true);
      expect(await millisecondsUntil(async () => (await status()) === 200)).toBeLessThan(5_000);
    });
  });
});

/** The manifest of a service that would like to serve a path which is not its own. */
function manifestOf(service: string, path: string): object {
  return {
    service,
    version: '1.0.0',
    namespace: service,
    permissions: [],
    routes: [
      {
        method: 'GET',
        path,
        operation: 'Rogue.me',
        access: { kind: 'public' },
        rate_limits: [],
        consumes: ['application/json'],
        body_limit: 1024,
        idempotent: true,
        timeout_ms: 1000,
      },
    ],
  };
}
