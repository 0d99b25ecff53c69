import { installPackagesTask } from '@nx/devkit';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {import('@nx/devkit').Tree} Tree */

/**
 * What can only be done once the files are on disk: npm links new packages, and the contract's types and event schemas are
 * generated from its .proto and events.ts. Not run for `--dry-run`.
 *
 * @param {Tree} tree
 * @param {string} contractRoot
 * @param {{ install?: boolean }} [options] `install`: a package.json is new or has another dependency
 */
export function afterContract(tree, contractRoot, { install = false } = {}) {
  return () => {
    if (install) installPackagesTask(tree, true);
    generateContract(tree.root, contractRoot);
  };
}

/**
 * @param {string} workspace
 * @param {string} contractRoot
 */
function generateContract(workspace, contractRoot) {
  if (!existsSync(join(workspace, contractRoot))) return;
  const script = join(workspace, 'node_modules/@gatehouse/contracts-platform/tools/generate.mjs');
  const bin = join(workspace, 'node_modules', '.bin');
  execFileSync(process.execPath, ['--conditions=@gatehouse/source', script, contractRoot], {
    cwd: workspace,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PATH: `${bin}:${process.env.PATH ?? ''}` },
  });
}
