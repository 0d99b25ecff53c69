import { Client } from 'pg';
import { postgresServer } from './postgres-server.ts';
import { temporaryDatabase } from './temporary-database.ts';

async function rows(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('a temporary database', () => {
  it('is on the one server of the run, by a superuser', async () => {
    const database = await temporaryDatabase();
    expect(new URL(database.url).host).toBe(new URL((await postgresServer()).adminUrl).host);
    const [{ name, super: isSuper }] = (await rows(
      database.url,
      `SELECT current_database() AS name, current_setting('is_superuser') AS super`,
    )) as [{ name: string; super: string }];
    expect([name, isSuper]).toEqual([database.name, 'on']);
    await database.drop();
  });

  it('is a copy of its template, which is prepared once though many ask at the same time', async () => {
    let prepared = 0;
    const template = {
      template: 'copies',
      prepare: async (url: string) => {
        prepared++;
        await rows(url, 'CREATE TABLE thing AS SELECT 1 AS id');
      },
    };
    const databases = await Promise.all(
      Array.from({ length: 6 }, () => temporaryDatabase(template)),
    );
    expect(prepared).toBe(1);
    await rows(databases[0]!.url, 'DELETE FROM thing');
    await expect(rows(databases[1]!.url, 'SELECT id FROM thing')).resolves.toEqual([{ id: 1 }]);
    await Promise.all(databases.map((database) => database.drop()));
  });

  it('prepares a template again after a failed attempt', async () => {
    const failing = () => Promise.reject(new Error('no table today'));
    await expect(temporaryDatabase({ template: 'again', prepare: failing })).rejects.toThrow(
      'no table today',
    );
    const database = await temporaryDatabase({
      template: 'again',
      prepare: async (url) => {
        await rows(url, 'CREATE TABLE thing ()');
      },
    });
    await expect(rows(database.url, 'SELECT 1 FROM thing')).resolves.toEqual([]);
    await database.drop();
  });

  it('is gone after drop, open connections or not', async () => {
    const database = await temporaryDatabase();
    const open = new Client({ connectionString: database.url });
    open.on('error', () => undefined);
    await open.connect();
    await database.drop();
    await expect(rows(database.url, 'SELECT 1')).rejects.toThrow('does not exist');
  });
});
