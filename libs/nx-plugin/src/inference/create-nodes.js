import { createNodesFromFiles } from '@nx/devkit';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { targetsOf } from './targets.js';

/**
 * The files under a project that decide its targets, relative to it.
 *
 * @param {string} root absolute
 * @returns {string[]}
 */
function listFiles(root) {
  const top = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile());
  const nested = ['src', 'test']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (path) => `${folder}/${path.replaceAll('\\', '/')}`,
      ),
    );
  return [...top.map((entry) => entry.name), ...nested];
}

/**
 * Whether npm may publish it.
 *
 * @param {string} root absolute
 */
function isPublished(root) {
  const file = join(root, 'package.json');
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).private !== true;
}

/**
 * Gives every project its targets from the files it has, so that a project.json holds a name and tags only.
 *
 * @type {import('@nx/devkit').CreateNodes}
 */
export const createNodes = [
  '{docs,docker,deploy,{apps,libs,libs/contracts}/*}/project.json',
  (projectFiles, options, context) =>
    createNodesFromFiles(
      (projectFile) => {
        const root = projectFile.slice(0, -'/project.json'.length);
        const folder = join(context.workspaceRoot, root);
        const { name } = JSON.parse(readFileSync(join(folder, 'project.json'), 'utf8'));
        const targets = targetsOf(root, listFiles(folder), name, isPublished(folder));
        return { projects: { [root]: { targets } } };
      },
      projectFiles,
      options,
      context,
    ),
];
