import { readFileSync } from 'node:fs';

import { beforeEach, describe, expect, it } from '@jest/globals';
import { readJson, type Tree, updateJson } from '@nx/devkit';

import check, { departuresOf, report } from '../generators/check/check.js';
import service from '../generators/service/service.js';
import { editedByATeam, olderService } from '../testing/older-service.ts';
import { contentsOf, readText, workspaceTree } from '../testing/workspace-tree.ts';
import { serviceCalled } from '../workspace/services.js';

interface Listed {
  generators: Record<string, { version: string; description: string; implementation: string }>;
}
const { generators } = JSON.parse(
  readFileSync(new URL('../../migrations.json', import.meta.url), 'utf8'),
) as Listed;

interface Manifest {
  'nx-migrations'?: { packageGroup: string[] };
  dependencies?: object;
  devDependencies?: object;
}
const manifest = (folder: string) =>
  JSON.parse(
    readFileSync(new URL(`../../../${folder}/package.json`, import.meta.url), 'utf8'),
  ) as Manifest;

/** Those of `migrations.json`, in order of version, as `nx migrate` runs them. */
async function migrate(tree: Tree): Promise<void> {
  const inOrder = Object.values(generators).sort((a, b) =>
    a.version.localeCompare(b.version, 'en', { numeric: true }),
  );
  for (const { implementation } of inOrder) {
    const url = new URL(`../../${implementation}`, import.meta.url).href;
    const { default: run } = (await import(url)) as { default: (tree: Tree) => Promise<void> };
    await run(tree);
  }
}

const CONTRACT = 'libs/contracts/parcels';
let tree: Tree;
const departures = (name = 'parcels') => departuresOf(tree, serviceCalled(tree, name));

beforeEach(() => {
  tree = workspaceTree();
  for (const [path, text] of Object.entries(editedByATeam())) tree.write(path, text);
});

describe('a service of an older template', () => {
  it('departs from today’s shape, and after the migrations no more', async () => {
    expect(departures().map(({ file }) => file)).toEqual([
      'apps/parcels/project.json',
      `${CONTRACT}/project.json`,
      `${CONTRACT}/src/contract.spec.ts`,
    ]);
    await migrate(tree);
    expect(departures()).toEqual([]);
  });

  it('keeps what its team has written, and every file the migrations are not about', async () => {
    const about = [
      '/apps/parcels/project.json',
      `/${CONTRACT}/project.json`,
      `/${CONTRACT}/src/contract.spec.ts`,
    ];
    const others = () =>
      Object.fromEntries(
        Object.entries(contentsOf(tree)).filter(([path]) => !about.includes(path)),
      );
    const before = others();
    await migrate(tree);
    expect(others()).toEqual(before);
    expect(readText(tree, `${CONTRACT}/src/contract.spec.ts`)).toMatch(
      /^\/\/ Ours: the carriers read this contract\.\n[^]*contracts: \[parcelsV1\]/,
    );
    expect(readJson<object>(tree, `${CONTRACT}/project.json`)).toMatchObject({
      targets: { publish: { command: 'echo published' } },
    });
    expect(readText(tree, `${CONTRACT}/project.json`)).not.toContain('buf-lint');
  });

  it('is migrated once: a second time changes nothing', async () => {
    await migrate(tree);
    const once = contentsOf(tree);
    await migrate(tree);
    expect(contentsOf(tree)).toEqual(once);
  });

  it('is the fixture, edited', () => {
    const edited = editedByATeam();
    const changed = Object.entries(olderService()).filter(([path, text]) => edited[path] !== text);
    expect(changed).toHaveLength(3);
  });
});

describe('`nx migrate` of the plugin', () => {
  it('raises every package of the platform that a workspace begins with', () => {
    const group = manifest('nx-plugin')['nx-migrations']?.packageGroup;
    const { dependencies, devDependencies } = manifest('create/template');
    const begun = Object.keys({ ...dependencies, ...devDependencies }).filter((name) =>
      name.startsWith('@gatehouse/'),
    );
    expect(['@gatehouse/nx-plugin', ...(group ?? [])].sort()).toEqual(begun.sort());
  });

  it('runs each migration at the first release after the one it is about, whatever its number', () => {
    for (const { version } of Object.values(generators))
      expect(version).toMatch(/^\d+\.\d+\.\d+-0$/);
  });
});

describe('the check', () => {
  it('finds nothing in Identity, nor in a service of today’s template', async () => {
    await service(tree, { name: 'orders' });
    expect(departures('identity')).toEqual([]);
    expect(departures('orders')).toEqual([]);
  });

  it('fixes what it can, and says what only the team can', async () => {
    await service(tree, { name: 'orders' });
    updateJson(tree, 'apps/orders/package.json', (json: { dependencies: object }) => ({
      ...json,
      dependencies: { ...json.dependencies, '@gatehouse/kernel': '0.0.1' },
    }));
    // A team's own packages are of a version of their own.
    updateJson(tree, 'libs/contracts/orders/package.json', (json: object) => ({
      ...json,
      version: '3.2.1',
    }));
    const file = 'apps/orders/src/orders.module.ts';
    const ours = readText(tree, file).replace('EventOperationsModule,\n', '\n');
    tree.write(file, ours);
    const found = departures('orders');
    expect(report('orders', found)).toContain(
      `TO DO   ${file} does not import EventOperationsModule`,
    );
    expect(report('orders', found)).toContain('@gatehouse/kernel 0.0.1');
    await check(tree, { service: 'orders' });
    expect(readJson<object>(tree, 'apps/orders/package.json')).toMatchObject({
      dependencies: { '@gatehouse/contracts-orders': '3.2.1' },
    });
    expect(readText(tree, file)).toContain('CqrsModule.forRoot()');
    expect(departures('orders').map(({ says }) => says)).toEqual([
      'does not import EventOperationsModule',
    ]);
  });
});
