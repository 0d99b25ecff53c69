import { Column, Entity, PrimaryColumn } from 'typeorm';
import { provisionedDatabase, type ProvisionedDatabase } from '../testing/index.ts';
import { TransactionHooks } from '../transactions/transaction-hooks.ts';
import { currentTransaction } from '../transactions/transaction.ts';
import { DatabaseUnavailable } from './database-error.ts';
import type { Database } from './database.ts';

@Entity('note')
class Note {
  @PrimaryColumn('text')
  id!: string;

  @Column('bigint')
  size!: number;
}

const migrations = [
  { name: '0001-note', up: 'CREATE TABLE note (id text PRIMARY KEY, size bigint NOT NULL)' },
];
let provisioned: ProvisionedDatabase;
let database: Database;
const hooks = new TransactionHooks();

beforeAll(async () => {
  provisioned = await provisionedDatabase({ services: { notes: migrations } });
  database = await provisioned.open('notes', { entities: [Note], hooks, poolSize: 4 });
}, 60_000);
afterAll(() => provisioned.drop());
beforeEach(() => database.query('DELETE FROM note'));

const notes = async () =>
  (await database.query<{ id: string }>('SELECT id FROM note ORDER BY id')).map(({ id }) => id);
const add = (id: string) => database.repository(Note).insert({ id, size: 1 });

describe('a transaction', () => {
  it('commits what its work did, and gives its result', async () => {
    expect(await database.transaction(async () => (await add('a'), 'done'))).toBe('done');
    expect(await notes()).toEqual(['a']);
  });

  it('rolls back everything when its work throws', async () => {
    const work = database.transaction(async () => {
      await add('a');
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await notes()).toEqual([]);
  });

  it('is joined by a transaction inside it, which sees its rows', async () => {
    await database.transaction(async (outer) => {
      await add('a');
      await database.transaction(async (inner) => {
        expect(inner).toBe(outer);
        expect(await notes()).toEqual(['a']);
        await add('b');
      });
      expect(await database.dataSource.query('SELECT id FROM notes.note')).toEqual([]);
    });
    expect(await notes()).toEqual(['a', 'b']);
  });

  it('does not commit when a joined one failed, even if the failure was caught', async () => {
    const work = database.transaction(async () => {
      await add('a');
      await database.transaction(() => Promise.reject(new Error('half'))).catch(() => undefined);
    });
    await expect(work).rejects.toThrow('half');
    expect(await notes()).toEqual([]);
  });

  it('does not claim success when the error of a statement was swallowed', async () => {
    const work = database.transaction(async () => {
      await add('a');
      await database.query('SELECT 1 / 0').catch(() => undefined);
    });
    await expect(work).rejects.toThrow('nothing was committed');
  });

  it('cannot be joined by one that wants more isolation', async () => {
    const work = database.transaction(() =>
      database.transaction(() => Promise.resolve(), { isolation: 'SERIALIZABLE' }),
    );
    await expect(work).rejects.toThrow('cannot join');
  });

  it('writes nothing when it is read-only', async () => {
    await expect(database.transaction(() => add('a'), { readOnly: true })).rejects.toThrow(
      'read-only',
    );
  });

  it('keeps a bigint a number', async () => {
    await database.repository(Note).insert({ id: 'big', size: 2 ** 40 });
    expect((await database.repository(Note).findOneByOrFail({ id: 'big' })).size).toBe(2 ** 40);
  });
});

describe('hooks', () => {
  it('run before COMMIT in their order, those registered by hooks too, and after it', async () => {
    const order: string[] = [];
    const note = (text: string) => () => Promise.resolve(void order.push(text));
    await database.transaction(async (tx) => {
      tx.afterCommit(async () => void order.push(`after: ${(await notes()).join()}`));
      tx.beforeCommit(note('100'), 100);
      tx.beforeCommit(async () => {
        tx.beforeCommit(note('10'), 10);
        await note('0')();
      }, 0);
      tx.afterRollback(() => void order.push('rollback'));
      await add('a');
    });
    expect(order).toEqual(['0', '10', '100', 'after: a']);
  });

  it('go with a rollback, but for those that wait for it', async () => {
    const ran: string[] = [];
    const work = database.transaction((tx) => {
      tx.beforeCommit(() => Promise.resolve(void ran.push('before')));
      tx.afterCommit(() => void ran.push('after'));
      tx.afterRollback(() => void ran.push('rollback'));
      return Promise.reject(new Error('no'));
    });
    await expect(work).rejects.toThrow('no');
    expect(ran).toEqual(['rollback']);
  });

  it('roll back when one before COMMIT throws', async () => {
    const work = database.transaction(async (tx) => {
      await add('a');
      tx.beforeCommit(() => Promise.reject(new Error('not audited')));
    });
    await expect(work).rejects.toThrow('not audited');
    expect(await notes()).toEqual([]);
  });

  it('of the process see each outermost result, and none of a read-only transaction', async () => {
    const results: unknown[] = [];
    hooks.onBeforeCommit((_tx, result) => Promise.resolve(void results.push(result)));
    await database.transaction(async () => {
      await database.transaction(() => Promise.resolve('inner'));
      return 'outer';
    });
    await database.transaction(() => Promise.resolve('reader'), { readOnly: true });
    expect(results).toEqual(['outer']);
  });

  it('run outside the transaction once it has ended', async () => {
    let later: unknown = 'not run';
    await database.transaction((tx) => {
      tx.afterCommit(() => void (later = currentTransaction()));
      return Promise.resolve();
    });
    expect(later).toBeUndefined();
  });
});

describe('a transaction that lost a race', () => {
  it('is repeated from its start until it can be put in an order', async () => {
    await database.query(`INSERT INTO note VALUES ('counter', 0)`);
    let attempts = 0;
    const allHaveRead = Promise.withResolvers<undefined>();
    const increments = Array.from({ length: 3 }, () =>
      database.transaction(
        async () => {
          const [row] = await database.query<{ size: number }>('SELECT size FROM note');
          if (++attempts === 3) allHaveRead.resolve(undefined);
          await allHaveRead.promise;
          await database.query('UPDATE note SET size = $1', [(row?.size ?? 0) + 1]);
        },
        { isolation: 'SERIALIZABLE' },
      ),
    );
    await Promise.all(increments);
    expect(await database.query('SELECT size FROM note')).toEqual([{ size: 3 }]);
    expect(attempts).toBeGreaterThan(3);
  });

  it('is not repeated for ever', async () => {
    let attempts = 0;
    const work = database.transaction(async () => {
      attempts++;
      await database.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`);
    });
    await expect(work).rejects.toThrow('again');
    expect(attempts).toBe(5);
  });

  it('is repeated when its connection is cut before COMMIT', async () => {
    let attempts = 0;
    await database.transaction(async () => {
      await add('a');
      if (++attempts > 1) return;
      const [me] = await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await database.dataSource.query('SELECT pg_terminate_backend($1)', [me?.pid]);
      await database.query('SELECT 1');
    });
    expect(attempts).toBe(2);
    expect(await notes()).toEqual(['a']);
  });
});

describe('an exhausted pool', () => {
  it('is a 503 that says when to come again, also to an entity query, and heals', async () => {
    const small = await provisioned.open('notes', {
      entities: [Note],
      poolSize: 1,
      poolTimeoutMs: 1_000,
    });
    const end = Promise.withResolvers<undefined>();
    const begun = Promise.withResolvers<undefined>();
    const holding = small.transaction(() => {
      begun.resolve(undefined);
      return end.promise;
    });
    await begun.promise;
    const refused = [
      () => small.query('SELECT 1'),
      () => small.repository(Note).count(),
      () => small.transaction(() => Promise.resolve()),
    ];
    for (const attempt of refused) {
      const error: unknown = await attempt().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(DatabaseUnavailable);
      expect(error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryAfterSeconds: 1 });
    }
    end.resolve(undefined);
    await holding;
    expect(await small.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});
