import { createHash, randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { postgresServer } from './postgres-server.ts';
import { currentRunOwner, isAlive, parseRunKey, runKey } from '../run-owner.ts';

export interface TemporaryDatabaseOptions {
  /** A superuser's connection to another server than `postgresServer()`. */
  server?: string;
  /** Names what `prepare` makes. Databases of one template are copies of one prepared database. */
  template?: string;
  /**
   * Fills the template, given a superuser's URL of it; runs once per template key and test run,
   * whichever worker asks first, and must close its connections.
   */
  prepare?: (adminUrl: string) => Promise<void>;
}

export interface TemporaryDatabase {
  /** A superuser's connection to this database. */
  url: string;
  name: string;
  /** Ends every connection to the database and drops it. */
  drop(): Promise<void>;
}

/**
 * A database of the test's own on `postgresServer()`. Drop it in `afterAll`; what a killed run leaves
 * on a server of TEST_DATABASE_URL is dropped by the next run on the same machine.
 *
 * Roles belong to the server and not to a database: tests that make roles must agree on their passwords.
 */
export async function temporaryDatabase({
  server,
  template,
  prepare,
}: TemporaryDatabaseOptions = {}): Promise<TemporaryDatabase> {
  const adminUrl = server ?? (await postgresServer()).adminUrl;
  const prefix = `gh_${runKey(currentRunOwner())}`;
  const name = `${prefix}_${randomBytes(6).toString('hex')}`;
  await withClient(adminUrl, async (admin) => {
    await dropLeftovers(admin);
    const source = template
      ? await preparedTemplate(admin, adminUrl, prefix, template, prepare)
      : 'template0';
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${source}`);
  });
  return {
    name,
    url: urlOf(adminUrl, name),
    drop: () =>
      withClient(adminUrl, async (admin) => {
        await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

/** Made under another name and renamed when complete: a template that exists is a finished one. */
async function preparedTemplate(
  admin: Client,
  adminUrl: string,
  prefix: string,
  key: string,
  prepare: TemporaryDatabaseOptions['prepare'],
): Promise<string> {
  const name = `${prefix}_t${createHash('sha256').update(key).digest('hex').slice(0, 10)}`;
  await admin.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [name]);
  try {
    if (!(await exists(admin, name))) {
      await admin.query(`DROP DATABASE IF EXISTS ${name}_new WITH (FORCE)`);
      await admin.query(`CREATE DATABASE ${name}_new TEMPLATE template0`);
      await prepare?.(urlOf(adminUrl, `${name}_new`));
      await admin.query(`ALTER DATABASE ${name}_new WITH ALLOW_CONNECTIONS false`);
      await admin.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
        [`${name}_new`],
      );
      await admin.query(`ALTER DATABASE ${name}_new RENAME TO ${name}`);
    }
  } finally {
    await admin.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name]);
  }
  return name;
}

async function exists(admin: Client, name: string): Promise<boolean> {
  const found = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  return found.rows.length > 0;
}

let swept = false;

/** Drops databases of runs of this machine that are over; their owner is in their name. */
async function dropLeftovers(admin: Client): Promise<void> {
  if (swept) return;
  swept = true;
  const { rows } = await admin.query<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname LIKE 'gh\\_%'`,
  );
  for (const { datname } of rows) {
    const owner = parseRunKey(datname.slice('gh_'.length));
    if (owner && !isAlive(owner)) {
      await admin.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`).catch(() => undefined);
    }
  }
}

function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined); // the server may be killed on purpose; queries report it
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
