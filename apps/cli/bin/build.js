#!/usr/bin/env node
/*
 * usage: build.js [projects], default every app and what it needs.
 * `npm start` builds what changed before it starts it. A committed JavaScript file, because nothing is built yet.
 * Nx's daemon would outlive the start, and a newcomer is promised that Ctrl-C leaves no process.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const nx = createRequire(import.meta.url).resolve('nx/bin/nx.js');
const { status } = spawnSync(
  process.execPath,
  [nx, 'run-many', '--target=build', `--projects=${process.argv[2] ?? 'tag:type:app'}`],
  { stdio: 'inherit', env: { ...process.env, NX_DAEMON: 'false' } },
);
process.exit(status ?? 1);
