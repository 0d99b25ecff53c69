import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { declarationsOf } from '../../packaging/declarations.js';
import { publishedManifest } from '../../packaging/manifest.js';

/**
 * @param {{ outputPath: string }} options
 * @param {import('@nx/devkit').ExecutorContext} context
 * @returns {Promise<{ success: boolean }>}
 * @throws naming what the manifest promises and the project does not have
 */
export default async function packageProject(
  { outputPath },
  { root, projectName = '', projectGraph },
) {
  const project = join(root, projectGraph.nodes[projectName]?.data.root ?? '');
  const out = join(root, outputPath);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });

  const own = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  const { manifest, entries } = publishedManifest(own);
  for (const file of own.files ?? []) {
    const from = join(project, file);
    if (!existsSync(from))
      throw new Error(`${own.name}: "files" names ${file}, which is not there`);
    cpSync(from, join(out, file), { recursive: true, filter: (path) => !isTest(path) });
  }
  for (const [file, text] of declarationsOf(project, entries)) {
    writeFileSync(join(out, file), text);
  }
  copyFirst('README.md', [project], out);
  copyFirst('LICENSE', [project, root], out);
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return { success: true };
}

/** @param {string} path */
const isTest = (path) => /\.(int-|e2e-)?spec\.ts$/.test(path);

/** @param {string} name @param {string[]} folders @param {string} out */
function copyFirst(name, folders, out) {
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${folders[0]} has no ${name}`);
  cpSync(found, join(out, name));
}
