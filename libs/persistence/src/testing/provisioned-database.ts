import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalJson } from '@gatehouse/kernel';
import { temporaryDatabase } from '@gatehouse/testing';
import { Database } from '../database/database.ts';
import type { EntityClass } from '../database/database.options.ts';
import { migrate } from '../migrations/migrate.ts';
import type { Migration, PlatformMigration } from '../migrations/migration.ts';
import { persistenceMigrations } from '../migrations/persistence.migrations.ts';
import { provision } from '../provisioning/provision.ts';
import type { TransactionHooks } from '../transactions/transaction-hooks.ts';

export interface ProvisionedDatabaseOptions {
  /** Each service's migrations beyond this library's own; null for a service without a schema. */
  services: Record<string, readonly Migration[] | null>;
  platformSql?: readonly PlatformMigration[];
}

export interface ProvisionedDatabase {
  /** A superuser's. */
  adminUrl: string;
  /** As `GATEHOUSE_CREDENTIALS_DIR` of the service has it. */
  credentialsDir(service: string): string;
  /** URL of `<service>_app`. */
  urlOf(service: string, role?: 'app' | 'migrator'): string;
  /** The service's schema, opened by its own role; closed by `drop`. */
  open(service: string, options?: OpenOptions): Promise<Database>;
  drop(): Promise<void>;
}

export interface OpenOptions {
  entities?: readonly EntityClass[];
  hooks?: TransactionHooks;
  poolSize?: number;
  poolTimeoutMs?: number;
}

/**
 * A temporary database as `gatehouse provision` and each service's `migrate` leave it; prepared once for equal
 * options of a test run. Passwords follow from the server's admin URL, so that databases of one server, which
 * share their roles, agree on them.
 */
export async function provisionedDatabase({
  services,
  platformSql = [],
}: ProvisionedDatabaseOptions): Promise<ProvisionedDatabase> {
  const credentials = await mkdtemp(join(tmpdir(), 'gatehouse-credentials-'));
  const provisionAt = (adminUrl: string) =>
    provision({
      adminUrl,
      services: Object.entries(services).map(([name, own]) => ({ name, database: own !== null })),
      platformSql,
      credentialsDir: credentials,
      newPassword: (role) => passwordOf(adminUrl, role),
    });
  const database = await temporaryDatabase({
    template: canonicalJson([services, platformSql].map((part) => describe(part))),
    prepare: async (adminUrl) => {
      await provisionAt(adminUrl);
      for (const [schema, own] of Object.entries(services)) {
        if (own === null) continue;
        const url = (
          await readFile(join(credentials, schema, 'migrator-database-url'), 'utf8')
        ).trim();
        await migrate({ url, schema, migrations: [...persistenceMigrations, ...own] });
      }
    },
  });
  // What belongs to a database and not to its copies: grants on it, settings of roles in it, the files.
  await provisionAt(database.url);

  const urls = new Map<string, string>();
  for (const [service, own] of Object.entries(services)) {
    for (const role of own === null ? ['app'] : ['app', 'migrator']) {
      const file = role === 'app' ? 'database-url' : 'migrator-database-url';
      urls.set(
        `${service}_${role}`,
        (await readFile(join(credentials, service, file), 'utf8')).trim(),
      );
    }
  }
  const opened: Database[] = [];
  const urlOf = (service: string, role = 'app') => {
    const url = urls.get(`${service}_${role}`);
    if (!url) throw new Error(`this database was not provisioned for ${service}_${role}`);
    return url;
  };
  return {
    adminUrl: database.url,
    credentialsDir: (service) => join(credentials, service),
    urlOf,
    async open(service, { entities = [], hooks, poolSize = 10, poolTimeoutMs = 5_000 } = {}) {
      const options = { url: urlOf(service), schema: service, entities, poolSize, poolTimeoutMs };
      const opening = new Database(options, hooks);
      opened.push(opening);
      await opening.connect();
      return opening;
    },
    async drop() {
      await Promise.all(opened.map((one) => one.close()));
      await database.drop();
      await rm(credentials, { recursive: true, force: true });
    },
  };
}

function passwordOf(adminUrl: string, role: string): string {
  const { host, username, password } = new URL(adminUrl);
  return createHmac('sha256', `${username}:${password}@${host}`).update(role).digest('base64url');
}

/** Migrations that are functions count by their text. */
function describe(value: unknown): unknown {
  if (typeof value === 'function') return String(value);
  if (Array.isArray(value)) return value.map(describe);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, describe(member)]));
}
