import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { Health, Lifecycle, Metrics, ServiceInfo } from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';
import { eventually, temporaryDatabase, type TemporaryDatabase } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';

import { CacheConfig } from '../src/cache.config.ts';
import { CacheModule } from '../src/cache.module.ts';
import { Caches } from '../src/caches.ts';
import { CacheStore } from '../src/store/cache-store.ts';
import { type Note, Notes, NOTES_TABLE } from './fixtures/notes.ts';
import { TroubledStore } from './fixtures/troubled.store.ts';

class Boom extends Error {}

/** As another request would: outside of the caller's transaction. */
const elsewhere = AsyncLocalStorage.snapshot();

describe('cached notes on a real database', () => {
  let temporary: TemporaryDatabase;
  let db: Database;
  let module: TestingModule;
  let store: TroubledStore;
  let notes: Notes;
  let caches: Caches;

  beforeAll(async () => {
    temporary = await temporaryDatabase();
    db = new Database({ url: temporary.url, schema: 'public', poolSize: 8, poolTimeoutMs: 5000 });
    await db.query(NOTES_TABLE);
    // The first one to ask starts PostgreSQL.
  }, 60_000);
  afterAll(async () => {
    await db.close();
    await temporary.drop();
  });

  beforeEach(async () => {
    await db.query('DELETE FROM notes');
    store = new TroubledStore();
    @Global()
    @Module({
      providers: [
        Lifecycle,
        Metrics,
        { provide: Database, useValue: db },
        { provide: ServiceInfo, useValue: { name: 'notes', version: '1.0.0' } },
        { provide: Health, useValue: {} },
      ],
      exports: [Lifecycle, Metrics, Database, ServiceInfo, Health],
    })
    class Platform {}
    module = await Test.createTestingModule({
      imports: [Platform, CacheModule.forService()],
      providers: [Notes],
    })
      .overrideProvider(CacheStore)
      .useValue(store)
      .overrideProvider(CacheConfig)
      // A busy machine is no outage.
      .useValue({ CACHE_STORE_TIMEOUT_MS: 5000 })
      .compile();
    notes = module.get(Notes);
    caches = module.get(Caches);
  });

  /** What is cached, without a read of the database in its place. */
  const cached = async (id: string): Promise<string | undefined> => {
    const before = notes.reads;
    const note = await notes.get(id);
    return notes.reads === before ? note?.text : undefined;
  };

  describe('@Cached', () => {
    it('reads the database once', async () => {
      await notes.save('a', 'one');
      await caches.evict('notes', 'a');
      expect(await notes.get('a')).toMatchObject({ text: 'one' });
      expect(await notes.get('a')).toMatchObject({ text: 'one' });
      expect(notes.reads).toBe(1);
    });

    it('sees the writes of its own transaction, and caches nothing uncommitted', async () => {
      await notes.save('a', 'one');
      await expect(
        db.transaction(async () => {
          await db.query(`UPDATE notes SET text = 'uncommitted' WHERE id = 'a'`);
          expect(await notes.get('a')).toMatchObject({ text: 'uncommitted' });
          throw new Boom();
        }),
      ).rejects.toThrow(Boom);
      expect(await notes.get('a')).toMatchObject({ text: 'one' });
    });

    it('says so where its class was not made by Nest', () => {
      expect(() => new Notes(db).get('a')).toThrow(
        "@Cached Notes.get: its class is not a provider of Nest's container",
      );
    });
  });

  describe('@Evicts', () => {
    it('keeps the old answer until the commit, and not longer', async () => {
      await notes.save('a', 'one');
      await notes.rewrite('a', 'two', async () => {
        // Another request, meanwhile: outside of this transaction.
        expect(await elsewhere(() => cached('a'))).toBe('one');
      });
      expect(await cached('a')).toBeUndefined();
      expect(await cached('a')).toBe('two');
    });

    it('evicts after a rollback too, for a lost COMMIT looks like one', async () => {
      await notes.save('a', 'one');
      await expect(notes.rewrite('a', 'two', () => Promise.reject(new Boom()))).rejects.toThrow(
        Boom,
      );
      expect(await cached('a')).toBeUndefined();
      expect(await notes.get('a')).toMatchObject({ text: 'one' });
    });

    it('waits for the outermost transaction', async () => {
      await notes.save('a', 'one');
      await db.transaction(async () => {
        await notes.rewrite('a', 'two');
        expect(await elsewhere(() => cached('a'))).toBe('one');
      });
      expect(await notes.get('a')).toMatchObject({ text: 'two' });
    });

    it('evicts what the result names, above @Transactional as well as below', async () => {
      await notes.save('a', 'one');
      await notes.save('b', 'one');
      expect(await notes.deleteAll()).toHaveLength(2);
      expect(await notes.get('a')).toBeNull();
      expect(await notes.get('b')).toBeNull();
    });

    it('lets no load fill the cache that read before the commit', async () => {
      await notes.save('a', 'one');
      await caches.evict('notes', 'a');
      // The reader has read "one" and is about to fill; the writer commits before it gets there.
      let early: Promise<Note | null> = Promise.resolve(null);
      await notes.rewrite('a', 'two', async () => {
        store.beforePut = () => sleep(60);
        early = elsewhere(() => notes.get('a'));
        await eventually(() => expect(store.asked).toContain('put'), { timeoutMs: 1000 });
      });
      await early;
      expect(await notes.get('a')).toMatchObject({ text: 'two' });
      expect(await cached('a')).toBe('two');
    });

    it('keeps the metadata of decorators below it', () => {
      expect(Reflect.getMetadata('kept', notes.rewrite)).toBe('below');
      expect(notes.rewrite.name).toBe('rewrite');
    });
  });

  describe('@CacheThrough', () => {
    it('answers from the cache once the change has committed, and not before', async () => {
      await notes.save('a', 'one', async () => {
        expect(await elsewhere(() => notes.get('a'))).toBeNull();
      });
      expect(await cached('a')).toBe('one');
    });

    it('caches nothing of a change that was rolled back', async () => {
      await notes.save('a', 'one');
      await expect(notes.save('a', 'two', () => Promise.reject(new Boom()))).rejects.toThrow(Boom);
      await expect(
        db.transaction(async () => {
          await notes.save('a', 'two');
          throw new Boom();
        }),
      ).rejects.toThrow(Boom);
      expect(await notes.get('a')).toMatchObject({ text: 'one' });
      expect(store.openTickets).toBe(0);
    });

    it('lets an older commit that comes late overwrite nothing', async () => {
      await notes.save('a', 'one');
      let late = true;
      store.beforePut = async () => {
        if (!late) return;
        late = false;
        await sleep(40);
      };
      const older = notes.save('a', 'two');
      await eventually(() => expect(late).toBe(false), { timeoutMs: 1000 });
      await notes.save('a', 'three');
      await older;
      expect(await cached('a')).toBe('three');
    });

    it('brings nothing back that was deleted before it came', async () => {
      let late = true;
      store.beforePut = async () => {
        if (!late) return;
        late = false;
        await sleep(40);
      };
      const write = notes.save('a', 'one');
      await eventually(() => expect(late).toBe(false), { timeoutMs: 1000 });
      await notes.deleteAll();
      await write;
      expect(await notes.get('a')).toBeNull();
    });

    it('evicts the old state where the store does not take the new one', async () => {
      await notes.save('a', 'one');
      store.trouble = 'refuses';
      await notes.save('a', 'two');
      store.trouble = 'none';
      for (let index = 0; index < 10; index++) {
        expect(await notes.get('a')).toMatchObject({ text: 'two' });
        await sleep(40);
      }
      expect(await cached('a')).toBe('two');
    });

    it('refuses to run outside a transaction, before anything is done', async () => {
      await expect(notes.unsafe('a')).rejects.toThrow(
        '@CacheThrough Notes.unsafe: runs outside a transaction; put it below @Transactional()',
      );
      expect(notes.reads).toBe(0);
    });
  });

  it('shows each writer what it wrote, and in the end what is stored, whatever happens at once', async () => {
    const ids = ['a', 'b', 'c'];
    store.beforePut = () => sleep(Math.random() * 3);
    await Promise.all(ids.map((id) => notes.save(id, '0')));
    await Promise.all(
      Array.from({ length: 12 }, async (_, worker) => {
        for (let round = 0; round < 25; round++) {
          const id = ids[(worker + round) % ids.length]!;
          if (worker % 3 === 0) {
            const { version } = await notes.save(id, `${worker}/${round}`);
            expect((await notes.get(id))?.version).toBeGreaterThanOrEqual(version);
            const text = await notes.textOf(id);
            expect(text).toBeDefined();
          } else if (worker % 3 === 1) {
            const before = (await notes.get(id))?.version ?? 0;
            await notes.rewrite(id, `${worker}/${round}`);
            expect((await notes.get(id))?.version).toBeGreaterThan(before);
          } else {
            await notes.get(id);
            await notes.textOf(id);
            if (Math.random() < 0.2) await sleep(1);
          }
        }
      }),
    );
    for (const id of ids) {
      const [row] = await db.query<Note>('SELECT * FROM notes WHERE id = $1', [id]);
      expect(await notes.get(id)).toEqual(row);
      expect(await notes.get(id)).toEqual(row);
    }
    expect(store.openTickets).toBe(0);
  });
});
