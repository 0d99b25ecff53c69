import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const TEMPLATE = new URL('../template/', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/**
 * Writes a workspace on the platform's packages of this very version.
 *
 * @param {string} root absolute; made where it is not there. Its last part names the workspace.
 * @throws before anything is written, where the name is no package name or the folder has something in it
 */
export function createWorkspace(root) {
  const name = basename(root);
  if (!/^[a-z][a-z0-9-]{0,99}$/.test(name)) {
    throw new Error(
      `"${name}" is no name for it: small letters, digits and hyphens, a letter first`,
    );
  }
  if (existsSync(root) && readdirSync(root).length > 0) {
    throw new Error(`${root} is not empty`);
  }
  mkdirSync(root, { recursive: true });
  for (const file of readdirSync(TEMPLATE)) {
    cpSync(new URL(file, TEMPLATE), join(root, nameOf(file)));
  }
  for (const file of ['package.json', 'README.md']) {
    const text = readFileSync(join(root, file), 'utf8');
    writeFileSync(
      join(root, file),
      text.replaceAll('{{name}}', name).replaceAll('{{version}}', version),
    );
  }
  for (const folder of ['apps', 'libs/contracts']) {
    mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, folder, '.gitkeep'), '');
  }
}

/**
 * npm does not publish some files whose names begin with a dot, and ESLint would take a configuration here for one of ours.
 *
 * @param {string} file
 */
const nameOf = (file) => file.replace(/^_/, '.').replace(/\.template$/, '');
