import { Health, Lifecycle, Metrics, ServiceInfo } from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';
import {
  describeWithEngines,
  engineSet,
  ENGINES_START_MS,
  type EngineSet,
  temporaryDatabase,
  type TemporaryDatabase,
} from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';

import { CacheConfig } from '../../src/cache.config.ts';
import { CacheModule } from '../../src/cache.module.ts';
import { RedisLink } from '../../src/redis/redis-link.ts';
import { type Note, Notes, NOTES_TABLE } from '../fixtures/notes.ts';
import { asOrders, linkTo, SECURED } from '../fixtures/redis-engine.ts';

const IDS = ['a', 'b', 'c'];

/** Two instances of a service, each with a pool of connections of its own. */
describeWithEngines(['redis'], () => {
  let set: EngineSet;
  let temporary: TemporaryDatabase;
  const databases: Database[] = [];
  const modules: TestingModule[] = [];
  const links: RedisLink[] = [];

  const startInstance = async (): Promise<Notes> => {
    const options = { url: temporary.url, schema: 'public', poolSize: 8, poolTimeoutMs: 20_000 };
    const db = new Database(options);
    // A busy machine is no outage.
    const link = linkTo(asOrders(set.ports.redis), { commandTimeoutMs: 10_000 });
    await link.connect();
    databases.push(db);
    links.push(link);
    @Global()
    @Module({
      providers: [
        Lifecycle,
        Metrics,
        { provide: Database, useValue: db },
        { provide: ServiceInfo, useValue: { name: 'orders', version: '1.0.0' } },
        { provide: Health, useValue: {} },
      ],
      exports: [Lifecycle, Metrics, Database, ServiceInfo, Health],
    })
    class Platform {}
    const module = await Test.createTestingModule({
      imports: [Platform, CacheModule.forService()],
      providers: [Notes],
    })
      .overrideProvider(RedisLink)
      .useValue(link)
      .overrideProvider(CacheConfig)
      .useValue({ CACHE_STORE_TIMEOUT_MS: 10_000 })
      .compile();
    modules.push(module);
    return module.get(Notes);
  };

  let instances: [Notes, Notes];
  beforeAll(async () => {
    set = await engineSet(['redis'], { settings: SECURED });
    temporary = await temporaryDatabase();
    instances = [await startInstance(), await startInstance()];
    await databases[0]!.query(NOTES_TABLE);
  }, ENGINES_START_MS);
  afterAll(async () => {
    await Promise.all(modules.map((module) => module.close()));
    await Promise.all(links.map((link) => link.close()));
    await Promise.all(databases.map((db) => db.close()));
    await temporary.drop();
    await set.end();
  });

  describe('notes that two instances change at once', () => {
    /** The newest version of each that a call has returned. */
    const known = new Map<string, number>();
    const learn = (id: string, { version }: Note) =>
      known.set(id, Math.max(known.get(id) ?? 0, version));

    const work = async (worker: number, round: number): Promise<void> => {
      const notes = instances[worker % 2]!;
      const id = IDS[(worker + round) % IDS.length]!;
      const before = known.get(id) ?? 0;
      if (worker % 4 === 0) learn(id, await notes.save(id, `${worker}/${round}`));
      else if (worker % 4 === 1) await notes.rewrite(id, `${worker}/${round}`);
      const read = await notes.get(id);
      expect(read?.version).toBeGreaterThanOrEqual(before);
      if (worker % 4 === 1) expect(read?.version).toBeGreaterThan(before);
      learn(id, read!);
      await notes.textOf(id);
    };

    it('are never read older than anyone has seen them, and in the end as they are', async () => {
      for (const id of IDS) learn(id, await instances[0].save(id, '0'));
      await Promise.all(
        Array.from({ length: 16 }, async (_, worker) => {
          for (let round = 0; round < 40; round++) await work(worker, round);
        }),
      );
      for (const id of IDS) {
        const [row] = await databases[0]!.query<Note>('SELECT * FROM notes WHERE id = $1', [id]);
        for (const notes of instances) {
          expect(await notes.get(id)).toEqual(row);
          expect(await notes.textOf(id)).toBe(row?.text);
        }
      }
      // It was the cache that answered.
      const reads = instances[0].reads + instances[1].reads;
      expect(reads).toBeLessThan(16 * 40 * 2);
    });
  });
});
