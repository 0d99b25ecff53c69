import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '@gatehouse/kernel';
import { listServices } from '@gatehouse/launcher';
import { portOf } from '../commands/context.ts';
import type { DataFolder } from '../data/data-folder.ts';
import { isFree } from '../platform/ports.ts';
import { postgresBinaries } from '../postgres/binaries.ts';
import { refuseUnreachable } from '../postgres/reachable.ts';
import { ok, type Place } from './place.ts';

/** Node 24.18.1 mends CVE-2026-58044 (hidden headers desynchronise proxies). */
export function nodeVersion(version: string): Finding {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const what = `Node ${version}`;
  if (major < 20) {
    return {
      state: 'problem',
      what,
      mend: 'install Node 20 or later; npm scripts then bring their own 24',
    };
  }
  const current = major > 24 || (major === 24 && (minor > 18 || (minor === 18 && patch >= 1)));
  if (current) return ok(what);
  return {
    state: 'warning',
    what: `${what}, older than 24.18.1`,
    mend: 'run it through npm (`npm start`, `npx gatehouse`), which uses the Node of the project',
  };
}

/** The embedded server's programs. */
export async function postgresPrograms(folder: DataFolder): Promise<Finding[]> {
  const { initdb } = await postgresBinaries();
  if (process.getuid?.() === 0) refuseUnreachable([initdb, folder.postgres()]);
  return [ok('PostgreSQL is installed for this platform')];
}

/** Of those whose sources are here: in an image there are none, and services run from images of their own. */
export function built({ workspace }: Place): Finding[] {
  const missing = listServices(workspace).filter(
    ({ dir, mainFile }) => existsSync(join(dir, 'src')) && !existsSync(mainFile),
  );
  if (missing.length === 0) return [ok('every service is built')];
  const names = missing.map(({ name }) => name).join(', ');
  return [{ state: 'problem', what: `not built: ${names}`, mend: 'npm run build' }];
}

export function permissions({ folder }: Place): Finding[] {
  if (!folder.exists) return [ok(`no data yet: ${folder.path} is made by the first start`)];
  accessSync(folder.path, constants.R_OK | constants.W_OK | constants.X_OK);
  const foreign = folder.foreignFiles();
  const readable = [folder.administrator(), folder.credentials(), folder.state()]
    .filter((path) => existsSync(path))
    .filter((path) => (statSync(path).mode & 0o077) !== 0);
  return [
    ok(`${folder.path} can be written`),
    ...readable.map((path): Finding => ({
      state: 'problem',
      what: `others may read ${path}`,
      mend: `chmod go-rwx ${path}`,
    })),
    ...foreign.map((name): Finding => ({
      state: 'warning',
      what: `${join(folder.path, name)} is not the platform's`,
      mend: '`npm run reset` deletes nothing while it is there',
    })),
  ];
}

export async function ports({ folder, state }: Place): Promise<Finding[]> {
  if (state) return [ok(`a platform runs on ${folder.path}`)];
  const wanted = [
    ['GATEWAY_PORT', portOf(undefined, 'GATEWAY_PORT', 8080)],
    ['GATEWAY_ADMIN_PORT', portOf(undefined, 'GATEWAY_ADMIN_PORT', 8081)],
  ] as const;
  return Promise.all(
    wanted.map(async ([variable, port]): Promise<Finding> => {
      if (await isFree(port)) return ok(`port ${port} is free`);
      return {
        state: 'problem',
        what: `port ${port} is taken by another program`,
        mend: `stop that program, or say ${variable}=${port + 1000}`,
      };
    }),
  );
}
