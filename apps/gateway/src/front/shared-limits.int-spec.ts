import { type RedisLimits, redisLimits } from '@gatehouse/guards/testing';
import {
  describeWithEngines,
  ENGINES_START_MS,
  engineSet,
  type EngineSet,
} from '@gatehouse/testing';
import { type Edge, problemOf, route, startEdge } from '../../test/fixtures/edge.ts';
import { FakeService } from '../../test/fixtures/fake-service.ts';
import type { EdgePolicies } from '../routing/route.ts';

/** An hour: no unit comes back while a test runs. */
const address = (limit: number): EdgePolicies['address'] => ({
  name: 'address',
  limit,
  window_seconds: 3_600,
  by: 'ip',
});

describeWithEngines(['redis'], () => {
  let set: EngineSet;
  let service: FakeService;
  const edges: Edge[] = [];
  const limits: RedisLimits[] = [];
  beforeAll(async () => {
    set = await engineSet(['redis']);
    service = await FakeService.start();
  }, ENGINES_START_MS);
  afterAll(async () => {
    await service.stop();
    await set.end();
  });
  afterEach(async () => {
    await Promise.all(edges.splice(0).map((edge) => edge.stop()));
    await Promise.all(limits.splice(0).map((of) => of.close()));
  });

  const keys = { next: 0 };
  const twoGateways = async (limit: number): Promise<[Edge, Edge]> => {
    // Its own counters for each test: all requests come from one address.
    const platform = `gateway-${(keys.next += 1)}`;
    const start = async () => {
      const of = await redisLimits(set.ports.redis, { service: platform, commandTimeoutMs: 500 });
      limits.push(of);
      const edge = await startEdge({
        routes: [route('GET', '/v1/things')],
        instances: [service.url],
        edge: { address: address(limit) },
        parts: { limits: of.store },
      });
      edges.push(edge);
      return edge;
    };
    return [await start(), await start()];
  };

  it('counts a client over all gateways, and tells it what remains of all', async () => {
    const [one, other] = await twoGateways(5);
    const answers = [];
    for (let n = 0; n < 7; n++) answers.push(await (n % 2 ? other : one).call('GET', '/v1/things'));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect(answers.slice(0, 5).map(({ headers }) => headers.ratelimit)).toEqual(
      [4, 3, 2, 1, 0].map((left) => expect.stringContaining(`"address";r=${left};t=`) as string),
    );
    const [, , , , , refused] = answers;
    expect(problemOf(refused!)).toMatchObject({ code: 'RATE_LIMITED' });
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(600);
    expect(Number(refused?.headers['retry-after'])).toBeLessThanOrEqual(720);
  });

  it('lets exactly the limit through where many requests come at once to both', async () => {
    const both = await twoGateways(30);
    const answers = await Promise.all(
      Array.from({ length: 80 }, (_, n) => both[n % 2]!.call('GET', '/v1/things')),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(30);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(50);
  });

  it('answers every request while Redis is away, and goes on from what it knew', async () => {
    const [one, other] = await twoGateways(10);
    for (let n = 0; n < 2; n++) {
      expect((await one.call('GET', '/v1/things')).status).toBe(200);
      expect((await other.call('GET', '/v1/things')).status).toBe(200);
    }
    await set.pause('redis');
    try {
      const statuses = [];
      for (let n = 0; n < 10; n++) statuses.push((await one.call('GET', '/v1/things')).status);
      // Three of the limit were gone when it last heard of it: it knew nothing of the fourth.
      expect(statuses).toEqual([...Array<number>(7).fill(200), 429, 429, 429]);
    } finally {
      await set.resume('redis');
    }
  });
});
