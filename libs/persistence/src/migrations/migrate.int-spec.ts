import pg from 'pg';
import { provisionedDatabase, type ProvisionedDatabase } from '../testing/index.ts';
import { migrate } from './migrate.ts';
import type { Migration } from './migration.ts';
import { schemaFindings, schemaStateOf } from './schema-state.ts';

let database: ProvisionedDatabase;
const run = (migrations: Migration[]) =>
  migrate({ url: database.urlOf('orders', 'migrator'), schema: 'orders', migrations });
const ask = async (sql: string) => (await database.open('orders', { poolSize: 1 })).query(sql);

beforeEach(async () => {
  database = await provisionedDatabase({ services: { orders: [] } });
}, 60_000);
afterEach(() => database.drop());

describe('migrate', () => {
  it('runs each step once, in order, though several migrators start together', async () => {
    const steps: Migration[] = [
      { name: '1', up: 'CREATE TABLE log (n int); SELECT pg_sleep(0.1)' },
      { name: '2', up: 'INSERT INTO log VALUES (2)' },
      { name: '3', up: (runner) => runner.query('INSERT INTO log VALUES (3)') as Promise<void> },
    ];
    const applied = await Promise.all([run(steps), run(steps), run(steps)]);
    expect(applied.flat().sort()).toEqual(['1', '2', '3']);
    expect(await ask('SELECT n FROM log ORDER BY n')).toEqual([{ n: 2 }, { n: 3 }]);
    expect(await run(steps)).toEqual([]);
  });

  it('stops at a step that fails, names it, keeps those before it and nothing of it', async () => {
    const first = { name: '1', up: 'CREATE TABLE log (n int)' };
    const bad = { name: '2-bad', up: 'INSERT INTO log VALUES (1); SELECT nothing' };
    await expect(run([first, bad, { name: '3', up: 'SELECT 1' }])).rejects.toThrow(
      /migration 2-bad of orders failed: .*nothing/,
    );
    expect(await ask('SELECT n FROM log')).toEqual([]);
    expect(await run([first, { name: '2-bad', up: 'SELECT 1' }])).toEqual(['2-bad']);
  });

  it('refuses a step that was changed after it had been applied', async () => {
    await run([{ name: '1', up: 'CREATE TABLE log (n int)' }]);
    await expect(run([{ name: '1', up: 'CREATE TABLE log (n bigint)' }])).rejects.toThrow(
      'migration 1 was changed',
    );
  });

  describe('the state of a schema', () => {
    const steps = ['1', '2', '3'].map((name): Migration => ({
      name,
      up: `CREATE TABLE t${name} ()`,
    }));
    const found = async (build: Migration[] = steps) => {
      const own = await database.open('orders', { poolSize: 1 });
      const state = await schemaStateOf((sql, values) => own.query(sql, values), 'orders', build);
      return schemaFindings(state, '`migrate`').map(({ state, what }) => `${state}: ${what}`);
    };
    const asOwner = async (sql: string) => {
      const client = new pg.Client({ connectionString: database.adminUrl });
      await client.connect();
      await client.query(sql);
      await client.end();
    };
    // Of the library itself; what a service has besides is what is looked at.
    beforeEach(() => asOwner('DELETE FROM orders.migrations'));

    it('is what the build expects', async () => {
      await run(steps);
      expect(await found()).toEqual(['ok: schema orders is up to date, 3 migrations']);
    });

    it('lacks what a newer library brings, though steps of the service itself were applied after it', async () => {
      const step = (name: string): Migration => ({
        name,
        up: `CREATE TABLE "${name}" ()`,
      });
      await run([step('lib-0001'), step('0001')]);
      expect(await found([step('lib-0001'), step('lib-0002'), step('0001')])).toEqual([
        'problem: schema orders lacks lib-0002',
      ]);
    });

    it('lacks what was never applied', async () => {
      await run(steps.slice(0, 1));
      expect(await found()).toEqual(['problem: schema orders lacks 2, 3']);
    });

    it('is newer than the build', async () => {
      await run(steps);
      expect(await found(steps.slice(0, 2))).toEqual([
        'warning: schema orders is newer than this build, which does not know 3',
      ]);
    });

    it('has lost a record in the middle', async () => {
      await run(steps);
      await asOwner(`DELETE FROM orders.migrations WHERE name = '2'`);
      expect(await found()).toEqual([
        'problem: schema orders has later migrations, and no record of 2',
      ]);
    });

    it('was made by another text', async () => {
      await run(steps);
      const build = [{ name: '1', up: 'CREATE TABLE t1 (n int)' }, ...steps.slice(1)];
      expect(await found(build)).toEqual([
        "problem: schema orders was made by another text of 1 than this build's",
      ]);
    });

    it('has tables and no records', async () => {
      await run(steps);
      await asOwner('DROP TABLE orders.migrations');
      expect(await found()).toEqual([
        'problem: schema orders has tables and no record of migrations',
      ]);
    });
  });

  it('refuses two steps of one name', async () => {
    await expect(
      run([
        { name: '1', up: '' },
        { name: '1', up: '' },
      ]),
    ).rejects.toThrow('name 1');
  });

  it('cannot leave its schema', async () => {
    await expect(run([{ name: '1', up: 'CREATE TABLE public.x ()' }])).rejects.toThrow(
      'permission',
    );
    await expect(run([{ name: '1', up: 'CREATE TABLE platform.x ()' }])).rejects.toThrow(
      'permission',
    );
  });
});
