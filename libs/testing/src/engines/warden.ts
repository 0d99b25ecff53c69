// A program of its own: `node warden.ts <folder>`. Ends the engines of a set whose test run is gone, however it ended.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type RunOwner } from '../run-owner.ts';

const folder = process.argv[2] ?? '';
const { bin, settings, owner } = JSON.parse(readFileSync(join(folder, 'warden.json'), 'utf8')) as {
  bin: string;
  settings: Record<string, string>;
  owner: RunOwner;
};

setInterval(() => {
  if (!existsSync(folder)) process.exit(0);
  if (isAlive(owner)) return;
  try {
    const engines = ['kafka', 'consul', 'redis', 'postgres', 'otelcol', 'opensearch'];
    execFileSync(bin, ['wipe', ...engines], { env: { ...process.env, ...settings } });
  } finally {
    rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  }
}, 500);
