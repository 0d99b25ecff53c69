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
    if (install) link(tree);
    generateContract(tree.root, contractRoot);
  };
}

/**
 * What can only be done once the files are on disk: npm links what is new and forgets what is gone.
 *
 * @param {Tree} tree
 */
export const linked = (tree) => () => link(tree);

/**
 * Everything but the links is installed already: npm need not ask the registry.
 *
 * @param {Tree} tree
 */
function link(tree) {
  process.env.npm_config_prefer_offline ??= 'true';
  process.env.npm_config_audit ??= 'false';
  process.env.npm_config_fund ??= 'false';
  installPackagesTask(tree, true);
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
