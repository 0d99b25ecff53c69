import { execFileSync } from 'node:child_process';

import { expect, it, jest } from '@jest/globals';

import { WORKSPACE } from '../testing/workspace-tree.ts';

// Nx reads the whole project graph first.
jest.setTimeout(120_000);

/** Without what the Nx that runs this test has told it. */
const own = Object.entries(process.env).filter(([variable]) => !variable.startsWith('NX_'));
const run = (file: string, ...args: string[]) =>
  execFileSync(file, args, {
    cwd: WORKSPACE,
    encoding: 'utf8',
    env: { ...Object.fromEntries(own), NX_DAEMON: 'false', NODE_OPTIONS: '', FORCE_COLOR: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

it('a dry run shows the tree of a service, and writes nothing of it', () => {
  const name = 'dry-run-of-a-test';
  const args = ['g', '@gatehouse/nx-plugin:service', name, '--dry-run'];
  const output = run(`${WORKSPACE}node_modules/.bin/nx`, ...args);
  for (const file of [
    `apps/${name}/src/main.ts`,
    `apps/${name}/src/${name}.module.ts`,
    `apps/${name}/test/${name}.e2e-spec.ts`,
    `libs/contracts/${name}/src/events.ts`,
  ]) {
    expect(output).toContain(`CREATE ${file}`);
  }
  const folders = [`apps/${name}`, `libs/contracts/${name}`];
  expect(run('git', 'status', '--short', '--', ...folders)).toBe('');
});
