import { formatFiles, generateFiles, OverwriteStrategy } from '@nx/devkit';
import { fileURLToPath } from 'node:url';

/** @typedef {import('@nx/devkit').Tree} Tree */

/**
 * Writes the templates of a folder. What is there already is somebody's: then nothing is written at all.
 *
 * @param {Tree} tree
 * @param {URL} templates
 * @param {string} target
 * @param {object} values
 * @throws Error that names the file that is there
 */
export function writeNew(tree, templates, target, values) {
  generateFiles(
    tree,
    fileURLToPath(templates),
    target,
    { ...values },
    { overwriteStrategy: OverwriteStrategy.ThrowIfExisting },
  );
}

/**
 * By the prettier of the workspace, with its settings.
 *
 * @param {Tree} tree
 */
export const format = (tree) => formatFiles(tree);
