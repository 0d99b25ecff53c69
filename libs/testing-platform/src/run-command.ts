import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findWorkspace } from '@gatehouse/launcher';
import { withoutEngines } from './platform-engines.ts';

export const workspace = findWorkspace(import.meta.dirname);

/** Compiled code is kept between test runs: it halves the time a service takes to start. */
export const compileCache = join(workspace, 'node_modules', '.cache', 'gatehouse-compile');

/** The same provisioning and bootstrap as in production, by the built `gatehouse` command. */
export async function gatehouse(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const { NODE_OPTIONS: _jestOnly, ...base } = withoutEngines(process.env);
  const main = join(workspace, 'node_modules', '@gatehouse', 'cli', 'dist', 'main.js');
  await promisify(execFile)(process.execPath, [main, ...args], {
    env: { ...base, NODE_COMPILE_CACHE: compileCache, ...env },
  });
}
