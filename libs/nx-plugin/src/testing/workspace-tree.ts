import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';

export const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));

const NOT_COMMITTED = /(^|\/)(node_modules|dist|test-results)(\/|$)/;

/** An in-memory copy of what generators read of this workspace: Identity and its contract. */
export function workspaceTree(): Tree {
  const tree = createTreeWithEmptyWorkspace();
  for (const folder of ['apps/identity', 'libs/contracts/identity']) {
    const entries = readdirSync(join(WORKSPACE, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name).slice(WORKSPACE.length);
      if (entry.isFile() && !NOT_COMMITTED.test(path)) {
        tree.write(path, readFileSync(join(WORKSPACE, path)));
      }
    }
  }
  // Nothing is formatted here: that what is generated is formatted, the workspace's own prettier says in the e2e test.
  for (const settings of ['.oxfmtrc.json', '.prettierrc']) tree.delete(settings);
  return tree;
}

/** Every file under a folder, sorted. */
export function filesUnder(tree: Tree, folder: string): string[] {
  return tree
    .children(folder)
    .flatMap((name) =>
      tree.isFile(`${folder}/${name}`)
        ? [`${folder}/${name}`]
        : filesUnder(tree, `${folder}/${name}`),
    )
    .sort();
}

/** The text of every file of the tree, by path. */
export const contentsOf = (tree: Tree): Record<string, string> =>
  Object.fromEntries(filesUnder(tree, '').map((path) => [path, tree.read(path, 'utf8') ?? '']));

/** What has been written. */
export function readText(tree: Tree, path: string): string {
  const text = tree.read(path, 'utf8');
  if (text === null) throw new Error(`${path} was not written`);
  return text;
}

/** The same, and what is looked for in it, however prettier would break the lines. */
export const codeOf = (text: string): string =>
  text.replaceAll(/\s+/g, '').replaceAll(/,(?=[)\]}])/g, '');

/** Makes of the tree what it was. */
export function restore(tree: Tree, before: Readonly<Record<string, string>>): void {
  for (const path of filesUnder(tree, '')) if (!(path in before)) tree.delete(path);
  for (const [path, text] of Object.entries(before)) tree.write(path, text);
}
