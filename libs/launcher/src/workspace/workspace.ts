import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';

/** A package that describes itself as a service: an app of the workspace, or a dependency of it. */
export interface ServicePackage {
  /** `gatehouse.name` of its package.json. */
  name: string;
  /** Absolute folder of that package.json. */
  dir: string;
  /** What Node runs: `<dir>/dist/main.js`. */
  mainFile: string;
  prefixes: string[];
  namespace: string;
  /** Whether it owns a schema: whether it depends on @gatehouse/persistence. */
  database: boolean;
}

/** Started and listed in this order; generated services come after, by name, and the gateway last. */
export const CORE_SERVICES = ['auth', 'identity', 'authz', 'audit'] as const;
export const GATEWAY = 'gateway';

const packageJson = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  gatehouse: z
    .object({
      name: z.string().regex(/^[a-z][a-z0-9-]*$/),
      prefixes: z.array(z.string()).default([]),
      namespace: z.string().optional(),
    })
    .optional(),
});

/**
 * The workspace that holds `from`: the nearest folder above it whose package.json has `workspaces`.
 * @throws where there is none
 */
export function findWorkspace(from: string): string {
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    const file = join(dir, 'package.json');
    if (existsSync(file) && 'workspaces' in (JSON.parse(readFileSync(file, 'utf8')) as object)) {
      return dir;
    }
    if (dir === dirname(dir))
      throw new Error(`there is no Gatehouse workspace at or above ${from}`);
  }
}

/**
 * Every `apps/*` and every dependency of the workspace itself whose package.json has a `gatehouse` member: a workspace outside
 * the platform's own repository has the platform's services as packages.
 * @throws naming the file, where that member is wrong or a name is taken twice
 */
export function listServices(workspace: string): ServicePackage[] {
  const folders = [...appsOf(workspace), ...dependenciesOf(workspace)];
  const services = folders.flatMap((folder) => readService(folder) ?? []);
  const names = new Set<string>();
  for (const { name, dir } of services) {
    if (names.has(name)) throw new Error(`two apps are named "${name}", one of them is ${dir}`);
    names.add(name);
  }
  return services.sort((a, b) => rank(a.name) - rank(b.name) || a.name.localeCompare(b.name));
}

function appsOf(workspace: string): string[] {
  const apps = join(workspace, 'apps');
  if (!existsSync(apps)) return [];
  return readdirSync(apps, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => join(apps, entry.name));
}

function dependenciesOf(workspace: string): string[] {
  const { dependencies } = packageJson.parse(
    JSON.parse(readFileSync(join(workspace, 'package.json'), 'utf8')),
  );
  return Object.keys(dependencies).map((name) => join(workspace, 'node_modules', name));
}

function readService(dir: string): ServicePackage | undefined {
  const file = join(dir, 'package.json');
  if (!existsSync(file)) return undefined;
  const parsed = packageJson.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  const { dependencies, gatehouse } = parsed.data;
  if (!gatehouse) return undefined;
  return {
    name: gatehouse.name,
    dir,
    mainFile: join(dir, 'dist', 'main.js'),
    prefixes: gatehouse.prefixes,
    namespace: gatehouse.namespace ?? gatehouse.name,
    database: '@gatehouse/persistence' in dependencies,
  };
}

function rank(name: string): number {
  const core = (CORE_SERVICES as readonly string[]).indexOf(name);
  if (core >= 0) return core;
  return name === GATEWAY ? CORE_SERVICES.length + 1 : CORE_SERVICES.length;
}
