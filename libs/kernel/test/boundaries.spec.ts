import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const workspace = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(path, 'utf8');

interface PackageJson {
  name: string;
  dependencies?: Record<string, string>;
  /** Of which a process must have one copy. */
  peerDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const packages = new Map(
  ['libs', 'libs/contracts', 'apps'].flatMap((folder) =>
    readdirSync(`${workspace}/${folder}`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'contracts')
      .map((entry) => {
        const json = JSON.parse(
          read(`${workspace}/${folder}/${entry.name}/package.json`),
        ) as PackageJson;
        return [json.name, json] as const;
      }),
  ),
);

/** Every package of ours that a package reaches at run time, itself left out. */
function reached(name: string, seen = new Set<string>()): Set<string> {
  for (const dependency of Object.keys(packages.get(name)?.dependencies ?? {})) {
    if (!packages.has(dependency) || seen.has(dependency)) continue;
    seen.add(dependency);
    reached(dependency, seen);
  }
  return seen;
}

const sources = ['src', 'test'].flatMap((folder) =>
  readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path}`),
);
const importsOf = (path: string) =>
  [...read(`${root}/${path}`).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    (match) => match[1] ?? '',
  );

describe('the kernel holds no business logic', () => {
  it('reaches nothing of ours but the common contract', () => {
    expect([...reached('@gatehouse/kernel')]).toEqual(['@gatehouse/contracts-platform']);
  });

  it('is tested with nothing of ours but the testing library', () => {
    const own = Object.keys(packages.get('@gatehouse/kernel')?.devDependencies ?? {}).filter(
      (name) => packages.has(name),
    );
    expect(own).toEqual(['@gatehouse/testing']);
  });

  it.each(sources)('%s imports nothing of ours besides, and no database or broker', (path) => {
    const foreign = importsOf(path).filter((name) => !name.startsWith('.') && !isBuiltin(name));
    expect(
      foreign.filter((name) => /^@gatehouse\/(?!contracts-platform$|testing$)/.test(name)),
    ).toEqual([]);
    expect(
      foreign.filter((name) => /^(typeorm|pg|kafkajs|redis|cache-manager|passport)/.test(name)),
    ).toEqual([]);
  });

  it('declares every package that its sources import', () => {
    const { dependencies, peerDependencies } = packages.get('@gatehouse/kernel') ?? {};
    const declared = { ...dependencies, ...peerDependencies };
    const used = sources
      .filter((path) => path.startsWith('src/') && !path.endsWith('.spec.ts'))
      .flatMap(importsOf)
      .filter((name) => !name.startsWith('.') && !isBuiltin(name))
      .map((name) =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    expect([...new Set(used)].filter((name) => !(name in declared))).toEqual([]);
  });
});
