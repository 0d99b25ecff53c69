import {
  describeWithEngines,
  ENGINES_START_MS,
  engineSet,
  type EngineSet,
  eventually,
} from '@gatehouse/testing';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';

import { Authenticated, Public, RateLimit, RateLimitStore } from '../src/index.ts';
import { RedisRateLimitStore } from '../src/rate-limits/redis/redis-rate-limit.store.ts';
import { GuardedService } from './support/guarded-service.ts';

@Controller('v1/orders')
class OrdersController {
  @Get('counted')
  @Public()
  @RateLimit({ limit: 4, per: '1h', by: 'ip' })
  counted() {
    return {};
  }

  @Get('during')
  @Public()
  @RateLimit({ limit: 4, per: '1h', by: 'ip' })
  during() {
    return {};
  }

  @Get('mine')
  @Authenticated()
  @RateLimit({ limit: 2, per: '1h', by: 'principal' })
  mine() {
    return {};
  }
}

describeWithEngines(['redis'], () => {
  let set: EngineSet;
  let instances: [GuardedService, GuardedService];
  beforeAll(async () => {
    set = await engineSet(['redis']);
    const start = () =>
      GuardedService.start({ controllers: [OrdersController] }, { env: { ...set.env } });
    instances = [await start(), await start()];
  }, ENGINES_START_MS);
  afterAll(async () => {
    for (const instance of instances) await instance.stop();
    await set.end();
  });

  const statuses = async (path: string, calls: number) => {
    const found = [];
    for (let n = 0; n < calls; n += 1) {
      found.push((await (instances[n % 2] as GuardedService).fetch(path)).status);
    }
    return found;
  };

  it('counts in Redis where REDIS_URL says so', () => {
    for (const instance of instances) {
      expect(instance.get(RateLimitStore)).toBeInstanceOf(RedisRateLimitStore);
    }
  });

  it('counts calls that reach the instances of a service directly together', async () => {
    expect(await statuses('/v1/orders/counted', 6)).toEqual([200, 200, 200, 200, 429, 429]);
  });

  it('counts each principal for itself', async () => {
    const [one] = instances;
    const call = async (sub: string) =>
      (await one.fetch('/v1/orders/mine', { token: one.issuer.token({ sub }) })).status;
    expect([await call('a'), await call('a'), await call('a')]).toEqual([200, 200, 429]);
    expect(await call('b')).toBe(200);
  });

  it('leaves counting to the gateway for what came through it', async () => {
    const [one] = instances;
    const via = await one.via('gateway');
    const response = await one.fetch('/v1/orders/counted', { via });
    expect(response.status).toBe(200);
  });

  it('answers without Redis, stays ready, and says in a metric that it counts alone', async () => {
    expect(await statuses('/v1/orders/during', 2)).toEqual([200, 200]);
    await set.kill('redis');
    try {
      expect(await statuses('/v1/orders/during', 4)).not.toContain(500);
      expect(await fallback()).toBe('1');
      const [one] = instances;
      expect((await fetch(`${one.adminUrl}/health/ready`)).status).toBe(200);
    } finally {
      await set.start('redis');
    }
    await eventually(async () => expect(await fallback()).toBe('0'));
    expect(await statuses('/v1/orders/during', 4)).toContain(429);
  });

  async function fallback(): Promise<string | undefined> {
    const page = await (await fetch(`${instances[0].adminUrl}/metrics`)).text();
    return /^rate_limit_store_fallback(?:\{[^}]*\})? (\d)/m.exec(page)?.[1];
  }
});
