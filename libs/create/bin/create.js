#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createWorkspace } from '../src/create-workspace.js';

const USAGE = `usage: npx @gatehouse/create <folder> [--skip-install]

Starts a workspace on the Gatehouse platform: its services as packages, and all that services of your own need to be
generated, built, tested and run beside them.`;

/** @param {string} command @param {string[]} args @param {string} cwd */
function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (error || status !== 0) {
    throw new Error(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
  }
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'skip-install': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  const [folder, ...more] = positionals;
  if (values.help) {
    console.log(USAGE);
  } else {
    if (folder === undefined || more.length > 0) throw new Error(`name one folder\n\n${USAGE}`);
    const root = resolve(folder);
    createWorkspace(root);
    if (!values['skip-install']) run('npm', ['install'], root);
    const cd = relative(process.cwd(), root);
    console.log(`
${root} is ready:
${cd ? `  cd ${cd}\n` : ''}${values['skip-install'] ? '  npm install\n' : ''}  npm start                                     the platform
  npx nx g @gatehouse/nx-plugin:service orders  a service of your own`);
  }
} catch (error) {
  console.error(`create: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
