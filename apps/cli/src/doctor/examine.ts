import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { listServices } from '@gatehouse/launcher';
import pg from 'pg';
import type { DataFolder, Profile } from '../data/data-folder.ts';
import { runningLauncher } from '../data/launcher-lock.ts';
import { type PlatformState, stateFile } from '../data/platform-state.ts';
import { portOf } from '../commands/context.ts';
import { isFree } from '../platform/ports.ts';
import { postgresBinaries } from '../postgres/binaries.ts';
import { refuseUnreachable } from '../postgres/reachable.ts';

export interface Finding {
  state: 'ok' | 'warning' | 'problem';
  what: string;
  /** What to do about it. */
  mend?: string;
}

interface Place {
  workspace: string;
  folder: DataFolder;
  profile: Profile;
}

/** Looks at everything a start needs, and where a platform runs, at that. Changes nothing. */
export async function examine(place: Place): Promise<Finding[]> {
  const { folder, profile } = place;
  const embedded = profile === 'embedded';
  const running = runningLauncher(folder.lock()) !== undefined;
  const state = running ? stateFile(folder).read() : undefined;
  const checks: (() => Promise<Finding[]> | Finding[])[] = [
    () => [nodeVersion(process.versions.node)],
    () => (embedded ? postgres(folder) : engines()),
    () => built(place),
    () => permissions(folder),
    () => (running ? [ok(`a platform runs on ${folder.path}`)] : ports()),
    ...(state ? [() => services(state)] : []),
    ...(state && embedded ? [() => database(place)] : []),
  ];
  const findings: Finding[] = [];
  for (const check of checks) {
    try {
      findings.push(...(await check()));
    } catch (error) {
      findings.push({ state: 'problem', what: (error as Error).message });
    }
  }
  return findings;
}

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

async function postgres(folder: DataFolder): Promise<Finding[]> {
  const { initdb } = await postgresBinaries();
  if (process.getuid?.() === 0) refuseUnreachable([initdb, folder.postgres()]);
  return [ok('PostgreSQL is installed for this platform')];
}

/** Loaded when it is asked for, because it brings every engine's client with it. */
async function engines(): Promise<Finding[]> {
  return (await import('./engines.ts')).engines();
}

/** Of those whose sources are here: in an image there are none, and services run from images of their own. */
function built({ workspace }: Place): Finding[] {
  const missing = listServices(workspace).filter(
    ({ dir, mainFile }) => existsSync(join(dir, 'src')) && !existsSync(mainFile),
  );
  if (missing.length === 0) return [ok('every service is built')];
  const names = missing.map(({ name }) => name).join(', ');
  return [{ state: 'problem', what: `not built: ${names}`, mend: 'npm run build' }];
}

function permissions(folder: DataFolder): Finding[] {
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

async function ports(): Promise<Finding[]> {
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

async function services(state: PlatformState): Promise<Finding[]> {
  return Promise.all(
    Object.entries(state.services).map(async ([name, service]): Promise<Finding> => {
      const mend = `see logs/${name}.log in the data folder`;
      if (!service.admin_url) return { state: 'problem', what: `${name} does not run`, mend };
      try {
        const answer = await fetch(`${service.admin_url}/health/ready`, {
          signal: AbortSignal.timeout(5_000),
        });
        const body = (await answer.json()) as { error?: object };
        if (answer.ok) return ok(`${name} is ready`);
        const failing = Object.keys(body.error ?? {}).join(', ');
        return { state: 'problem', what: `${name} is not ready: ${failing}`, mend };
      } catch {
        return { state: 'problem', what: `${name} does not answer`, mend };
      }
    }),
  );
}

/** That the database answers, and that the directory lists every service of the workspace. */
async function database({ workspace, folder }: Place): Promise<Finding[]> {
  const url = readFileSync(join(folder.credentials('platform'), 'database-url'), 'utf8').trim();
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ document: string }>(
      'SELECT document FROM platform.directory ORDER BY serial DESC LIMIT 1',
    );
    const listed = servicesOf(rows[0]?.document ?? '');
    const missing = listServices(workspace).filter(({ name }) => !listed.includes(name));
    return [
      ok('PostgreSQL answers'),
      ...missing.map(({ name }): Finding => ({
        state: 'warning',
        what: `${name} is not in the directory`,
        mend: `\`npx nx serve ${name}\` or the next \`npm start\` adds it`,
      })),
    ];
  } finally {
    await client.end();
  }
}

/** Names in a directory, a compact JWS; whether it is genuine is for the services to judge. */
function servicesOf(document: string): string[] {
  const payload = Buffer.from(document.split('.')[1] ?? '', 'base64url').toString();
  const { services = [] } = JSON.parse(payload || '{}') as { services?: { name: string }[] };
  return services.map(({ name }) => name);
}

function ok(what: string): Finding {
  return { state: 'ok', what };
}
