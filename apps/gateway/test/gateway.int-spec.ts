import 'reflect-metadata';

import {
  DiscoveryModule,
  discoveryPlatformSql,
  generateServiceKey,
  publishDirectory,
  type ServiceKeyPair,
} from '@gatehouse/discovery';
import { Authenticated, GuardsModule, Public } from '@gatehouse/guards';
import { createService, KernelModule, type RunningService } from '@gatehouse/kernel';
import { provisionedDatabase, type ProvisionedDatabase } from '@gatehouse/persistence/testing';
import { eventually } from '@gatehouse/testing';
import { Controller, Get, Module, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayModule } from '../src/gateway.module.ts';
import { RandomRequests } from './fixtures/random-requests.ts';

@Controller('v1/things')
class ThingsController {
  @Get()
  @Public()
  list(@Req() request: FastifyRequest): object {
    return { client: request.headers['x-forwarded-for'], via: 'gatehouse-via' in request.headers };
  }

  @Get(':id')
  @Authenticated()
  get(): object {
    return {};
  }
}

@Module({
  imports: [
    KernelModule.forService(),
    DiscoveryModule.forService(),
    GuardsModule.forService({ audit: 'buffered' }),
  ],
  controllers: [ThingsController],
})
class ThingsModule {}

const platform = generateServiceKey();
const keys: Record<string, ServiceKeyPair> = {
  gateway: generateServiceKey(),
  things: generateServiceKey(),
};
let database: ProvisionedDatabase;
let gateway: RunningService;
let folder: string;

const publish = (...names: string[]) =>
  publishDirectory({
    adminUrl: database.adminUrl,
    platformPrivateKey: platform.privateKey,
    services: names.map((name) => ({
      name,
      prefixes: name === 'gateway' ? [] : [`/v1/${name}`],
      namespace: name,
      publicKey: keys[name]?.publicKey ?? '',
    })),
  });
const envOf = (name: string) => ({
  GATEHOUSE_PROFILE: 'embedded',
  GATEHOUSE_SERVICE_KEY: keys[name]?.privateKey ?? '',
  GATEHOUSE_TRUST_ANCHOR: platform.publicKey,
  DATABASE_URL: database.urlOf(name),
  HTTP_PORT: '0',
  ADMIN_PORT: '0',
  LOG_LEVEL: 'silent',
  SHUTDOWN_DRAIN_SECONDS: '0',
});
const startThings = () => createService(ThingsModule, { env: envOf('things'), packageDir: folder });
const get = (path: string, init: RequestInit = {}) => fetch(`${gateway.httpUrl}${path}`, init);
const admin = async (path: string) =>
  (await (await fetch(`${gateway.adminUrl}${path}`)).json()) as never;

beforeAll(async () => {
  database = await provisionedDatabase({
    services: { gateway: null, things: null },
    platformSql: discoveryPlatformSql,
  });
  await publish('gateway', 'things');
  folder = await mkdtemp(join(tmpdir(), 'things-'));
  const about = { name: 'things', prefixes: ['/v1/things'], namespace: 'things' };
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ version: '1.2.3', type: 'module', gatehouse: about }),
  );
  gateway = await createService(GatewayModule, {
    env: { ...envOf('gateway'), GATEWAY_ADDRESS_LIMIT: '1000000' },
    packageDir: join(import.meta.dirname, '..'),
  });
});
afterAll(async () => {
  await gateway.stop();
  await database.drop();
  await rm(folder, { recursive: true });
});

describe('the gateway as it is put together', () => {
  // First, because one process serves two services here: the log level's controller is the last one's that started.
  it('documents its own API, with who may use it', async () => {
    const document = (await (await get('/openapi.json')).json()) as { paths: object };
    expect(document.paths).toEqual({
      '/v1/gateway/log-level': expect.objectContaining(
        Object.fromEntries(
          [
            ['get', 'read'],
            ['put', 'update'],
            ['delete', 'update'],
          ].map(([method = '', right = '']) => [
            method,
            expect.objectContaining({
              tags: ['gateway'],
              security: [{ bearer: [] }],
              'x-permission': `gateway.log-level.${right}`,
            }),
          ]),
        ),
      ) as unknown,
    });
  });

  it('reaches a service that starts later within two seconds, and loses one the directory drops', async () => {
    expect((await get('/v1/things')).status).toBe(404);
    const things = await startThings();
    const started = performance.now();
    const answer = await eventually(
      async () => {
        const response = await get('/v1/things');
        expect(response.status).toBe(200);
        return (await response.json()) as object;
      },
      { timeoutMs: 5_000, intervalMs: 20 },
    );
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(answer).toEqual({ client: '127.0.0.1', via: true });

    const routes = await admin('/routes');
    expect(routes).toMatchObject({
      services: [{ service: 'things', versions: [{ version: '1.2.3', instances: 1 }] }],
      refused: [],
      unread: [],
    });
    expect(await admin('/instances')).toMatchObject({ rejected: [] });
    expect(await admin('/breakers')).toMatchObject({
      breakers: [{ service: 'things', state: 'closed' }],
    });

    const document = (await (await get('/openapi.json')).json()) as { paths: object };
    expect(Object.keys(document.paths).sort()).toEqual([
      '/v1/gateway/log-level',
      '/v1/things',
      '/v1/things/log-level',
      '/v1/things/{id}',
    ]);

    await publish('gateway');
    await eventually(async () => expect((await get('/v1/things')).status).toBe(404), {
      timeoutMs: 3_000,
      intervalMs: 20,
    });
    await publish('gateway', 'things');
    await eventually(async () => expect((await get('/v1/things')).status).toBe(200), {
      timeoutMs: 5_000,
      intervalMs: 20,
    });
    await things.stop();
    await eventually(async () => expect((await get('/v1/things')).status).toBe(503), {
      timeoutMs: 3_000,
      intervalMs: 20,
    });
  });

  it('is alive, and not ready before it has had keys and first snapshots', async () => {
    expect((await get('/health/live')).status).toBe(200);
    const ready = await get('/health/ready');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ status: 'unavailable' });
  });

  it('answers 503 and not 401 while it has no keys', async () => {
    const things = await startThings();
    await eventually(async () => expect((await get('/v1/things')).status).toBe(200), {
      timeoutMs: 5_000,
      intervalMs: 20,
    });
    expect((await get('/v1/things/7')).status).toBe(401);
    const token = `${Buffer.from('{"alg":"RS256","typ":"at+jwt","kid":"k"}').toString('base64url')}.e30.e30`;
    const answer = await get('/v1/things/7', { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(503);
    await things.stop();
  });

  it('serves a page to read and try the interface, with nothing from elsewhere', async () => {
    const page = await get('/docs');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const html = await page.text();
    const own = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(own.length).toBeGreaterThan(3);
    for (const path of own) {
      expect(path).toMatch(/^\//);
      expect((await get(path)).status).toBe(200);
    }
    expect((await get('/docs/package.json')).status).toBe(404);
  });

  it('has a page for every problem', async () => {
    const answer = await get('/v1/nothing');
    const problem = (await answer.json()) as { type: string; request_id: string };
    expect(problem.request_id).toBe(answer.headers.get('x-request-id'));
    const page = await get(problem.type);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('There is no such route');
    expect((await get('/problems/user-not-found')).status).toBe(200);
    expect((await get('/problems/%3Cscript%3E')).status).toBe(404);
  });

  it('shows what it counts on the admin listener alone', async () => {
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    expect(metrics).toContain('gateway_request_duration_seconds_bucket{');
    expect(metrics).toContain('gateway_routes{upstream="things"}');
    for (const path of ['/metrics', '/routes', '/instances', '/breakers', '/health']) {
      expect((await get(path)).status).toBe(404);
    }
    expect((await get('/.well-known/gatehouse/manifest')).status).toBe(404);
  });

  it('has as many series after 10,000 random paths, methods and hosts as before', async () => {
    const requests = new RandomRequests(gateway.httpUrl, [
      '',
      '/v1',
      '/v1/things',
      '/docs',
      '/problems',
    ]);
    await requests.sendOfEachKind();
    const before = await series();
    expect(await requests.send(10_000)).toBe(10_000);
    expect((await series()).filter((each) => !before.includes(each))).toEqual([]);
    expect(before.length).toBeLessThan(3_000);
  }, 120_000);
});

/** Every series shown but Node's own, some of which appear when something first happens in the process. */
async function series(): Promise<string[]> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line !== '' && !/^(#|nodejs_|process_)/.test(line))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));
}
