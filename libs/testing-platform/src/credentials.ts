import { createHmac } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type ServicePackage, writeCredential } from '@gatehouse/launcher';
import type { Client } from 'pg';

/**
 * Decides the passwords of all roles before `provision` runs, which keeps what it finds. Roles belong to the server and
 * not to a database, so everybody who provisions for tests on one server must arrive at the same: as
 * `provisionedDatabase` of @gatehouse/persistence/testing does.
 */
export async function decidePasswords(
  folder: string,
  services: readonly ServicePackage[],
  adminUrl: string,
): Promise<void> {
  for (const { name, database } of services) {
    const roles = {
      'database-url': 'app',
      ...(database && { 'migrator-database-url': 'migrator' }),
    };
    for (const [file, role] of Object.entries(roles)) {
      const url = new URL(adminUrl);
      const { username, password, host } = url;
      url.password = createHmac('sha256', `${username}:${password}@${host}`)
        .update(`${name}_${role}`)
        .digest('base64url');
      url.username = `${name}_${role}`;
      await writeCredential(join(folder, name), file, url.href);
    }
  }
}

/**
 * Credential files travel in the template database, so that whichever worker of a test run made it, all have the keys
 * that its rows were written under.
 */
export async function storeFiles(client: Client, folder: string): Promise<void> {
  await client.query('CREATE SCHEMA testing_platform');
  await client.query('CREATE TABLE testing_platform.files (path text PRIMARY KEY, content text)');
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = join(entry.parentPath, entry.name);
    await client.query('INSERT INTO testing_platform.files VALUES ($1, $2)', [
      relative(folder, file),
      readFileSync(file, 'utf8'),
    ]);
  }
}

export async function takeFiles(client: Client, folder: string): Promise<void> {
  const { rows } = await client.query<{ path: string; content: string }>(
    'SELECT path, content FROM testing_platform.files',
  );
  for (const { path, content } of rows) {
    mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, path), content, { mode: 0o600 });
  }
  await client.query('DROP SCHEMA testing_platform CASCADE');
}
