import type { Client } from 'pg';
import { identifier, literal } from '../migrations/quote.ts';
import { scramVerifier } from './scram.ts';

const NO_POWERS = 'NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';

/** A database is closed to all but the roles that are let in. */
export async function closeDatabase(admin: Client): Promise<void> {
  const database = await currentDatabase(admin);
  await admin.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
  await admin.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
}

export async function hasPlatform(admin: Client): Promise<boolean> {
  const found = await admin.query(`SELECT 1 FROM pg_namespace WHERE nspname = 'platform'`);
  return found.rows.length > 0;
}

/** Schema `platform`: what all services share, reached through functions only. */
export async function makePlatform(admin: Client): Promise<void> {
  await makeRole(admin, 'platform_owner', `NOLOGIN NOINHERIT ${NO_POWERS}`);
  await ownSchema(admin, 'platform', 'platform_owner');
}

/** `<s>_owner`, `<s>_migrator` and `<s>_app`; without a migrator's password only the last. */
export async function makeRoles(
  admin: Client,
  service: string,
  passwords: { app: string; migrator?: string },
): Promise<void> {
  const app = `${service}_app`;
  await makeRole(admin, app, `LOGIN INHERIT ${NO_POWERS}`, passwords.app);
  await letIn(admin, app, service);
  if (passwords.migrator === undefined) return;

  const owner = `${service}_owner`;
  const migrator = `${service}_migrator`;
  await makeRole(admin, owner, `NOLOGIN NOINHERIT ${NO_POWERS}`);
  await makeRole(admin, migrator, `LOGIN NOINHERIT ${NO_POWERS}`, passwords.migrator);
  if (!(await isMember(admin, migrator, owner))) {
    await admin.query(`GRANT ${identifier(owner)} TO ${identifier(migrator)}`);
  }
  await letIn(admin, migrator, service);
}

/** The service's schema; what its owner makes there the app role may read and write, row by row. */
export async function makeSchema(admin: Client, service: string): Promise<void> {
  const owner = `${service}_owner`;
  const [schema, app] = [identifier(service), identifier(`${service}_app`)];
  await ownSchema(admin, service, owner);
  await admin.query(`GRANT USAGE ON SCHEMA ${schema} TO ${app}`);
  const defaults = `ALTER DEFAULT PRIVILEGES FOR ROLE ${identifier(owner)} IN SCHEMA ${schema}`;
  await admin.query(`${defaults} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${app}`);
  await admin.query(`${defaults} GRANT USAGE, SELECT ON SEQUENCES TO ${app}`);
  await admin.query(`${defaults} GRANT EXECUTE ON FUNCTIONS TO ${app}`);
}

/** Functions of the platform schema say themselves who may call them; USAGE is what makes them reachable. */
export async function grantPlatform(admin: Client, service: string): Promise<void> {
  await admin.query(`GRANT USAGE ON SCHEMA platform TO ${identifier(`${service}_app`)}`);
}

/** Services whose role may still come into this database, as `makeRoles` and `grantPlatform` left it. */
export async function servicesLetIn(admin: Client): Promise<string[]> {
  const { rows } = await admin.query<{ service: string }>(
    `SELECT left(rolname, -length('_app')) AS service FROM pg_roles
     WHERE rolname LIKE '%\\_app' AND rolcanlogin AND NOT rolsuper
       AND has_schema_privilege(rolname, 'platform', 'USAGE')
       AND has_database_privilege(rolname, current_database(), 'CONNECT')
     ORDER BY rolname`,
  );
  return rows.map(({ service }) => service);
}

async function ownSchema(admin: Client, schema: string, owner: string): Promise<void> {
  const [name, role] = [identifier(schema), identifier(owner)];
  await admin.query(`CREATE SCHEMA IF NOT EXISTS ${name} AUTHORIZATION ${role}`);
  await admin.query(`REVOKE ALL ON SCHEMA ${name} FROM PUBLIC`);
  const defaults = `ALTER DEFAULT PRIVILEGES FOR ROLE ${role}`;
  await admin.query(`${defaults} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC`);
  await admin.query(`${defaults} REVOKE USAGE ON TYPES FROM PUBLIC`);
}

async function makeRole(
  admin: Client,
  role: string,
  attributes: string,
  password?: string,
): Promise<void> {
  const found = await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
  const secret = password === undefined ? '' : ` PASSWORD ${literal(scramVerifier(password))}`;
  const verb = found.rows.length > 0 ? 'ALTER' : 'CREATE';
  await admin.query(`${verb} ROLE ${identifier(role)} ${attributes}${secret}`);
}

async function letIn(admin: Client, role: string, service: string): Promise<void> {
  const database = await currentDatabase(admin);
  await admin.query(`GRANT CONNECT ON DATABASE ${database} TO ${identifier(role)}`);
  await admin.query(
    `ALTER ROLE ${identifier(role)} IN DATABASE ${database} SET search_path = ${identifier(service)}`,
  );
}

async function isMember(admin: Client, member: string, of: string): Promise<boolean> {
  const found = await admin.query(
    `SELECT 1 FROM pg_auth_members
     WHERE member = (SELECT oid FROM pg_roles WHERE rolname = $1)
       AND roleid = (SELECT oid FROM pg_roles WHERE rolname = $2)`,
    [member, of],
  );
  return found.rows.length > 0;
}

async function currentDatabase(admin: Client): Promise<string> {
  const { rows } = await admin.query<{ name: string }>('SELECT current_database() AS name');
  return identifier(rows[0]?.name ?? '');
}
