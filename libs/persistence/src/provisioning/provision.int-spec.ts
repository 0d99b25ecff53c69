import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { temporaryDatabase } from '@gatehouse/testing';
import { Client } from 'pg';
import { sqlState } from '../database/database-error.ts';
import { migrate } from '../migrations/migrate.ts';
import { provisionedDatabase, type ProvisionedDatabase } from '../testing/index.ts';
import { provision, type ProvisionPlan } from './provision.ts';

/** The SQLSTATE a statement fails with, or what it answered. */
async function outcome(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } catch (error) {
    return sqlState(error) ?? error;
  } finally {
    await client.end();
  }
}

const DENIED = '42501';
const platformSql = [
  {
    name: '0001-who',
    up: `
      CREATE TABLE visit (service text NOT NULL);
      CREATE FUNCTION visit() RETURNS text LANGUAGE sql SECURITY DEFINER
        SET search_path = platform, pg_temp
        AS $$ INSERT INTO visit VALUES (session_user) RETURNING service $$;
      CREATE FUNCTION internal() RETURNS integer LANGUAGE sql AS 'SELECT 1';
      GRANT EXECUTE ON FUNCTION visit() TO PUBLIC;
    `,
  },
];

describe('what a service may do with its database', () => {
  let database: ProvisionedDatabase;
  let identity: (sql: string) => Promise<unknown>;
  const services = {
    identity: [{ name: '0001', up: 'CREATE TABLE users (id serial PRIMARY KEY, name text)' }],
    auth: [{ name: '0001', up: 'CREATE TABLE credentials (id int); CREATE SEQUENCE tickets' }],
    edge: null,
  };

  beforeAll(async () => {
    database = await provisionedDatabase({ services, platformSql });
    identity = (sql) => outcome(database.urlOf('identity'), sql);
  }, 60_000);
  afterAll(() => database.drop());

  it('is to read and write the rows of its own schema', async () => {
    expect(await identity(`INSERT INTO users (name) VALUES ('a') RETURNING id`)).toEqual([
      { id: 1 },
    ]);
    expect(await identity(`UPDATE users SET name = 'b' RETURNING name`)).toEqual([{ name: 'b' }]);
    expect(await identity('DELETE FROM users RETURNING id')).toEqual([{ id: 1 }]);
    expect(await identity('SELECT current_schema() AS schema')).toEqual([{ schema: 'identity' }]);
  });

  it.each([
    ['read a neighbour', 'SELECT * FROM auth.credentials'],
    ['write to a neighbour', 'INSERT INTO auth.credentials VALUES (1)'],
    ["advance a neighbour's sequence", `SELECT nextval('auth.tickets')`],
    ['truncate its own table', 'TRUNCATE users'],
    ['truncate a neighbour', 'TRUNCATE auth.credentials'],
    ['alter its table', 'ALTER TABLE users ADD COLUMN x int'],
    ['disable triggers', 'ALTER TABLE users DISABLE TRIGGER ALL'],
    ['make a trigger', 'CREATE TRIGGER t BEFORE INSERT ON users EXECUTE FUNCTION f()'],
    ['drop its table', 'DROP TABLE users'],
    ['drop its schema', 'DROP SCHEMA identity CASCADE'],
    ['take over its table', 'ALTER TABLE users OWNER TO identity_app'],
    ['create in its schema', 'CREATE TABLE more (id int)'],
    ['create a function', `CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'`],
    ['create in schema public', 'CREATE TABLE public.more (id int)'],
    ['create in schema platform', 'CREATE TABLE platform.more (id int)'],
    ['create a schema', 'CREATE SCHEMA more'],
    ['create a temporary table', 'CREATE TEMP TABLE more (id int)'],
    ['become its owner', 'SET ROLE identity_owner'],
    ['become its migrator', 'SET ROLE identity_migrator'],
    ["become the platform's owner", 'SET ROLE platform_owner'],
    ['make a role', 'CREATE ROLE friend'],
    ['change its powers', 'ALTER ROLE identity_app CREATEDB'],
    ['change how far its schema is', `INSERT INTO migrations VALUES ('0002')`],
    ["read the platform's tables", 'SELECT * FROM platform.visit'],
    ['call what the platform keeps to itself', 'SELECT platform.internal()'],
    ["read the server's files", `SELECT pg_read_file('postgresql.conf')`],
  ])('is not to %s', async (_what, sql) => {
    expect(await identity(sql)).toBe(DENIED);
  });

  it('is not to grant anything: what it tries changes nothing', async () => {
    // Without grant option PostgreSQL warns for some and refuses others.
    await identity('GRANT SELECT ON users TO auth_app');
    await identity('GRANT identity_owner TO identity_app');
    await identity('GRANT USAGE ON SCHEMA identity TO auth_app');
    expect(await outcome(database.urlOf('auth'), 'SELECT * FROM identity.users')).toBe(DENIED);
    expect(await identity('SET ROLE identity_owner')).toBe(DENIED);
  });

  it('is not to become a superuser', async () => {
    const superuser = new URL(database.adminUrl).username;
    expect(await identity(`SET SESSION AUTHORIZATION "${superuser}"`)).toBe(DENIED);
    expect(await identity(`SET ROLE "${superuser}"`)).toBe(DENIED);
  });

  it('is to call the functions of the platform, which know who calls', async () => {
    expect(await identity('SELECT platform.visit()')).toEqual([{ visit: 'identity_app' }]);
    const edge = database.urlOf('edge');
    expect(await outcome(edge, 'SELECT platform.visit()')).toEqual([{ visit: 'edge_app' }]);
    expect(await outcome(edge, 'SELECT * FROM identity.users')).toBe(DENIED);
  });

  it('leaves tables to the owner, whom only the migrator can become', async () => {
    const migrator = database.urlOf('identity', 'migrator');
    expect(await outcome(migrator, 'SELECT * FROM identity.users')).toBe(DENIED);
    expect(await outcome(migrator, 'SET ROLE auth_owner')).toBe(DENIED);
    expect(
      await outcome(migrator, 'SET ROLE identity_owner; SELECT count(*)::int FROM identity.users'),
    ).not.toBe(DENIED);
    expect(await outcome(database.adminUrl, `SELECT rolcanlogin FROM pg_roles WHERE rolname = 'identity_owner'`)).toEqual([{ rolcanlogin: false }]); // prettier-ignore
  });

  it('does not let another role into the database', async () => {
    await outcome(database.adminUrl, `CREATE ROLE stranger LOGIN PASSWORD 'stranger-password'`);
    const url = new URL(database.adminUrl);
    url.username = 'stranger';
    url.password = 'stranger-password';
    await expect(outcome(url.href, 'SELECT 1')).rejects.toMatchObject({ code: DENIED });
    await outcome(database.adminUrl, 'DROP ROLE stranger');
  });
});

describe('provision', () => {
  let folder: string;
  let database: Awaited<ReturnType<typeof temporaryDatabase>>;
  let plan: ProvisionPlan;
  const read = (file: string) => readFile(join(folder, file), 'utf8').then((s) => s.trim());
  // Roles belong to the server: names of this file's own keep its random passwords to itself.
  const name = `orders-${process.pid}`;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-provision-'));
    database = await temporaryDatabase();
    plan = {
      adminUrl: database.url,
      services: [{ name, database: true }],
      platformSql: [],
      credentialsDir: folder,
    };
  }, 60_000);
  afterEach(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  it('writes credentials that work and that only their owner can read', async () => {
    await provision(plan);
    const files = await readdir(join(folder, name));
    expect(files.sort()).toEqual([
      'data-encryption-key',
      'database-url',
      'migrator-database-url',
      'page-token-key',
    ]);
    for (const file of files)
      expect((await stat(join(folder, name, file))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o700);
    expect(Buffer.from(await read(`${name}/data-encryption-key`), 'base64')).toHaveLength(32);
    expect(await outcome(await read(`${name}/database-url`), 'SELECT session_user AS who')).toEqual(
      [{ who: `${name}_app` }],
    );
  });

  it('changes nothing the second time', async () => {
    await provision(plan);
    const before = await Promise.all(
      (await readdir(join(folder, name))).map((f) => read(join(name, f))),
    );
    await provision(plan);
    const after = await Promise.all(
      (await readdir(join(folder, name))).map((f) => read(join(name, f))),
    );
    expect(after).toEqual(before);
    expect(await outcome(await read(`${name}/database-url`), 'SELECT 1 AS one')).toEqual([
      { one: 1 },
    ]);
  });

  it('keeps the password and follows the server when that has moved', async () => {
    await provision(plan);
    const old = await read(`${name}/database-url`);
    const moved = new URL(old);
    moved.port = '1';
    await writeFile(join(folder, name, 'database-url'), moved.href);
    await provision(plan);
    expect(await read(`${name}/database-url`)).toBe(old);
  });

  it('gives a role the password of its file, whatever it had', async () => {
    await provision(plan);
    await outcome(database.url, `ALTER ROLE "${name}_app" PASSWORD 'something else'`);
    await provision(plan);
    expect(await outcome(await read(`${name}/database-url`), 'SELECT 1 AS one')).toEqual([
      { one: 1 },
    ]);
  });

  it('may run twice at once, and beside one of another database', async () => {
    const other = await temporaryDatabase();
    const shared = { newPassword: (role: string) => `password of ${role}` };
    const elsewhere = await mkdtemp(join(tmpdir(), 'gatehouse-provision-'));
    await Promise.all([
      provision({ ...plan, ...shared }),
      provision({ ...plan, ...shared }),
      provision({ ...plan, ...shared, adminUrl: other.url, credentialsDir: elsewhere }),
    ]);
    expect(await outcome(await read(`${name}/database-url`), 'SELECT 1 AS one')).toEqual([
      { one: 1 },
    ]);
    await other.drop();
    await rm(elsewhere, { recursive: true });
  }, 30_000);

  it('adds a service later, and steps of the platform', async () => {
    await provision(plan);
    const later = { name: `bills-${process.pid}`, database: true };
    await provision({ ...plan, services: [...plan.services, later], platformSql });
    expect(await outcome(await read(`${name}/database-url`), 'SELECT platform.visit()')).toEqual([
      { visit: `${name}_app` },
    ]);
    await migrate({
      url: await read(`${later.name}/migrator-database-url`),
      schema: later.name,
      migrations: [{ name: '0001', up: 'CREATE TABLE bill (id int)' }],
    });
    expect(await outcome(await read(`${later.name}/database-url`), 'SELECT * FROM bill')).toEqual(
      [],
    );
  });

  it.each(['platform', 'public', 'Orders', 'a"b', '', 'x'.repeat(60)])(
    'refuses %j as the name of a service',
    async (bad) => {
      await expect(
        provision({ ...plan, services: [{ name: bad, database: true }] }),
      ).rejects.toThrow('cannot be the name of a service');
    },
  );

  it('sends no password in the clear', async () => {
    const sent: string[] = [];
    const original = Client.prototype.query;
    Client.prototype.query = function (this: Client, ...args: unknown[]) {
      sent.push(JSON.stringify(args));
      return (original as (...a: unknown[]) => unknown).apply(this, args);
    } as never;
    try {
      await provision({ ...plan, newPassword: () => 'correct-horse' });
    } finally {
      Client.prototype.query = original;
    }
    expect(sent.join()).toContain('SCRAM-SHA-256$');
    expect(sent.join()).not.toContain('correct-horse');
  });
});
