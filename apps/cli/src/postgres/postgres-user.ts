import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Ids of the user that PostgreSQL runs as; empty: as the launcher's own. */
export interface PostgresUser {
  uid?: number;
  gid?: number;
}

/**
 * PostgreSQL refuses to run as root: for root (in containers) it runs as the system's user `postgres`, which is made
 * where it is missing.
 */
export async function postgresUser(): Promise<PostgresUser> {
  if (process.getuid?.() !== 0) return {};
  const known = await lookUp().catch(() => undefined);
  if (known) return known;
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']);
    return await lookUp();
  } catch (cause) {
    throw new Error(
      'PostgreSQL refuses to run as root, and the user `postgres` to run it as could not be made: run as another user',
      { cause },
    );
  }
}

async function lookUp(): Promise<PostgresUser> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'postgres'])).stdout)),
  );
  if (!uid || !gid) throw new Error('no such user');
  return { uid, gid };
}
