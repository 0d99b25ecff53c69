import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  createService,
  type HealthReport,
  KernelModule,
  type RunningService,
  StartFailed,
} from '@gatehouse/kernel';
import {
  describeWithEngines,
  engineSet,
  ENGINES_START_MS,
  type EngineSet,
  eventually,
} from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';

import { CacheModule } from '../../src/cache.module.ts';
import { Cached } from '../../src/decorators/cached.decorator.ts';
import { Evicts } from '../../src/decorators/evicts.decorator.ts';
import { SECURED } from '../fixtures/redis-engine.ts';

@Injectable()
class Prices {
  reads = 0;
  price = 1;

  @Cached({ cache: 'prices', key: (id: string) => id, ttl: '5m', singleFlight: 'fleet' })
  of(_id: string): Promise<number> {
    this.reads++;
    return Promise.resolve(this.price);
  }

  @Evicts({ cache: 'prices', key: (id: string) => id })
  change(_id: string, price: number): Promise<void> {
    this.price = price;
    return Promise.resolve();
  }
}

@Module({
  imports: [KernelModule.forService(), CacheModule.forService()],
  providers: [Prices],
})
class Shop {}

describeWithEngines(['redis'], () => {
  let set: EngineSet;
  let folder: string;
  const running: RunningService[] = [];

  beforeAll(async () => {
    set = await engineSet(['redis'], { settings: SECURED });
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-shop-'));
    const json = { name: 'shop', version: '1.0.0', gatehouse: { name: 'orders', prefixes: [] } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(json));
  }, ENGINES_START_MS);
  afterAll(async () => {
    await set.end();
    rmSync(folder, { recursive: true });
  });

  const start = async (env: Record<string, string> = {}): Promise<RunningService> => {
    const service = await createService(Shop, {
      packageDir: folder,
      env: {
        GATEHOUSE_PROFILE: 'embedded',
        LOG_LEVEL: 'silent',
        SHUTDOWN_DRAIN_SECONDS: '0',
        // A busy machine is no outage.
        CACHE_STORE_TIMEOUT_MS: '2000',
        ...env,
      },
    });
    running.push(service);
    return service;
  };
  const onRedis = () => ({ ...set.env, REDIS_USERNAME: 'orders', REDIS_PASSWORD: 'orders' });
  const readiness = async ({ adminUrl }: RunningService) => {
    const answer = await fetch(`${adminUrl}/health/ready`);
    return { status: answer.status, body: (await answer.json()) as HealthReport['body'] };
  };
  afterEach(async () => {
    await Promise.all(running.splice(0).map((service) => service.stop()));
  });

  describe('a service with caches', () => {
    it('keeps them in its own memory where REDIS_URL is not set', async () => {
      const [here, there] = [await start(), await start()].map(({ app }) => app.get(Prices));
      await here!.of('a');
      await there!.of('a');
      expect(here!.reads + there!.reads).toBe(2);
      expect((await readiness(running[0]!)).body.dependencies).toBeUndefined();
    });

    describe('where REDIS_URL is set', () => {
      let here: Prices;
      let there: Prices;
      beforeEach(async () => {
        here = (await start(onRedis())).app.get(Prices);
        there = (await start(onRedis())).app.get(Prices);
        await here.change('a', 1);
      });

      it('shares them with its other instances', async () => {
        expect(await here.of('a')).toBe(1);
        expect(await there.of('a')).toBe(1);
        expect(here.reads + there.reads).toBe(1);
        here.price = there.price = 2;
        await there.change('a', 2);
        expect(await here.of('a')).toBe(2);
      });

      it('shows Redis, and stays ready without it', async () => {
        const [service] = running as [RunningService];
        expect(await readiness(service)).toMatchObject({
          status: 200,
          body: { dependencies: { redis: { status: 'up' } } },
        });
        await set.kill('redis');
        expect(await here.of('a')).toBe(1);
        await eventually(async () =>
          expect(await readiness(service)).toMatchObject({
            status: 200,
            body: { dependencies: { redis: { status: 'down', message: 'Redis does not answer' } } },
          }),
        );
        await set.start('redis');
        await eventually(
          async () =>
            expect((await readiness(service)).body.dependencies?.redis?.status).toBe('up'),
          { timeoutMs: 20_000 },
        );
        await eventually(async () => {
          const { reads } = here;
          await here.of('a');
          expect(here.reads).toBe(reads);
        });
      });
    });

    it('does not start with credentials that Redis refuses', async () => {
      const starting = start({ ...onRedis(), REDIS_PASSWORD: 'wrong' });
      await expect(starting).rejects.toThrow(StartFailed);
      await expect(starting).rejects.toThrow(
        /^start phase database, Redis: Redis at .* \(REDIS_URL\) cannot be used: REDIS_USERNAME or REDIS_PASSWORD is refused: WRONGPASS/,
      );
    });

    it('does not start without Redis, once it has waited', async () => {
      const env = { REDIS_URL: 'redis://127.0.0.1:1', ENGINE_WAIT_SECONDS: '0.3' };
      await expect(start(env)).rejects.toThrow(
        /^start phase database, Redis: Redis does not answer/,
      );
    });
  });
});
