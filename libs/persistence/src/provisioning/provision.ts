import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { awaitPostgres } from '../connection/await-postgres.ts';
import { postgresConnection } from '../connection/postgres-address.ts';
import { migrate } from '../migrations/migrate.ts';
import type { PlatformMigration } from '../migrations/migration.ts';
import { sqlState } from '../database/database-error.ts';
import { CredentialFiles } from './credential-files.ts';
import {
  closeDatabase,
  grantPlatform,
  hasPlatform,
  makePlatform,
  makeRoles,
  makeSchema,
  servicesLetIn,
} from './provision.sql.ts';

export interface ProvisionPlan {
  /** A superuser's URL of the database that holds every schema. */
  adminUrl: string;
  /** `DATABASE_TLS_CA`. */
  tlsCa?: string | undefined;
  services: readonly { name: string; /** whether it has a schema */ database: boolean }[];
  /** Steps of schema `platform`, in order. */
  platformSql: readonly PlatformMigration[];
  /** Gets a folder for each service. */
  credentialsDir: string;
  /** How long a server that is not there yet is waited for, default not at all. */
  withinMs?: number;
  /** New passwords for every role, in the files first: processes read them whenever they connect. Default false. */
  rotate?: boolean;
  /** Where a new password comes from; default 32 random bytes. For tests that share a server. */
  newPassword?: (role: string) => string;
}

/** Something that takes connections and says nothing is no PostgreSQL. */
const CONNECT_TIMEOUT_MS = 10_000;

const SERVICE_NAME = /^[a-z][a-z0-9-]{0,40}$/;
const RESERVED = new Set(['platform', 'public', 'information-schema']);

/**
 * Makes, for each service, the roles `<s>_owner` (NOLOGIN, owns the schema), `<s>_migrator` (may become the
 * owner) and `<s>_app` (DML only), its schema, and its credential files `database-url`,
 * `migrator-database-url`, `page-token-key` and `data-encryption-key` (0600). A service without a schema gets
 * `<s>_app` and `database-url` alone, for the functions of schema `platform`. Makes that schema too, owned by
 * `platform_owner`, and takes from PUBLIC what a new database gives it.
 *
 * May be run again, and by two at once: what exists is kept (passwords and keys of existing files above all),
 * what is missing is added, and roles get the passwords that the files say.
 *
 * @returns whether the database was new, that is without a schema `platform`; and the services that are no longer in the
 *   plan and may still log in: their roles own data, and are left to the operator
 */
export async function provision(plan: ProvisionPlan): Promise<{ isNew: boolean; left: string[] }> {
  for (const { name } of plan.services) {
    if (!SERVICE_NAME.test(name) || RESERVED.has(name)) {
      throw new Error(`${name} cannot be the name of a service`);
    }
  }
  const admin = await awaitPostgres(() => connect(plan), {
    url: plan.adminUrl,
    withinMs: plan.withinMs ?? 0,
  });
  try {
    await admin.query(`SELECT pg_advisory_lock(hashtextextended('gatehouse provision', 0))`);
    const isNew = !(await hasPlatform(admin));
    await inTransaction(admin, async () => {
      await closeDatabase(admin);
      await makePlatform(admin);
    });
    for (const service of plan.services) {
      const passwords = await writeCredentials(plan, service);
      await inTransaction(admin, async () => {
        await makeRoles(admin, service.name, passwords);
        if (service.database) await makeSchema(admin, service.name);
        await grantPlatform(admin, service.name);
      });
    }
    await migrate({
      url: plan.adminUrl,
      tlsCa: plan.tlsCa,
      schema: 'platform',
      owner: 'platform_owner',
      migrations: plan.platformSql,
    });
    const wanted = new Set(plan.services.map(({ name }) => name));
    const left = (await servicesLetIn(admin)).filter((name) => !wanted.has(name));
    return { isNew, left };
  } finally {
    await admin.end();
  }
}

async function connect({ adminUrl, tlsCa }: ProvisionPlan): Promise<pg.Client> {
  const admin = new pg.Client({
    ...postgresConnection({ url: adminUrl, tlsCa }),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  admin.on('error', () => undefined);
  await admin.connect();
  return admin;
}

async function writeCredentials(
  plan: ProvisionPlan,
  { name, database }: ProvisionPlan['services'][number],
): Promise<{ app: string; migrator?: string }> {
  const files = await new CredentialFiles(join(plan.credentialsDir, name)).open();
  const url = async (file: string, role: string) => {
    const fresh = () => plan.newPassword?.(role) ?? randomBytes(32).toString('base64url');
    return (await files.databaseUrl(file, plan.adminUrl, role, fresh, plan.rotate)).password;
  };
  const app = await url('database-url', `${name}_app`);
  if (!database) return { app };
  const migrator = await url('migrator-database-url', `${name}_migrator`);
  for (const key of ['page-token-key', 'data-encryption-key']) {
    await files.keep(key, () => randomBytes(32).toString('base64'));
  }
  return { app, migrator };
}

/** Roles belong to the whole server: a provision of another database may be changing the same ones. */
async function inTransaction(admin: pg.Client, fn: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await admin.query('BEGIN');
      await fn();
      await admin.query('COMMIT');
      return;
    } catch (error) {
      await admin.query('ROLLBACK').catch(() => undefined);
      if (attempt === 20 || !isRoleRace(error)) throw error;
      await sleep(Math.random() * 100);
    }
  }
}

/** "tuple concurrently updated", a role that another made first, or a deadlock over their rows. */
function isRoleRace(error: unknown): boolean {
  const state = sqlState(error) ?? '';
  if (['23505', '42710', '40P01'].includes(state)) return true;
  return state === 'XX000' && (error as Error).message.startsWith('tuple concurrently');
}
