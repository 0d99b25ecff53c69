import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { eventually, freePort, type PackageRegistry } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { publishedPackages } from './packages.ts';

const run = promisify(execFile);
const MINUTES = 60_000;

describe('a workspace outside this repository', () => {
  let registry: PackageRegistry;
  let folder: string;
  let shop: string;
  beforeAll(async () => {
    registry = await publishedPackages();
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-outside-'));
    // PostgreSQL runs as another user where this runs as root.
    chmodSync(folder, 0o755);
    shop = join(folder, 'shop');
  }, 2 * MINUTES);
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await registry.stop();
  });

  const npm = async (args: string[], cwd = shop) => {
    const { stdout } = await run('npm', args, { cwd, env: registry.env, maxBuffer: 2 ** 26 });
    return stdout;
  };

  it(
    'is made and installed by one command, from the packages alone',
    async () => {
      const printed = await npm(['exec', '--yes', '--', '@gatehouse/create', 'shop'], folder);
      expect(printed).toContain(`${shop} is ready`);
      expect(existsSync(join(shop, 'node_modules/@gatehouse/gateway/dist/main.js'))).toBe(true);
      // One copy of what must not be there twice.
      expect(JSON.parse(await npm(['query', '[name="@nestjs/core"]']))).toHaveLength(1);
    },
    8 * MINUTES,
  );

  it(
    'starts the platform with `npm start`, and stops it',
    async () => {
      const [port, adminPort] = [await freePort(), await freePort()];
      const start = spawn('npm', ['start'], {
        cwd: shop,
        env: {
          ...registry.env,
          GATEWAY_PORT: String(port),
          GATEWAY_ADMIN_PORT: String(adminPort),
        },
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const printed = outputOf(start);
      try {
        await eventually(
          () => {
            if (start.exitCode !== null) throw new Error(`npm start ended: ${printed()}`);
            expect(printed()).toContain('Gatehouse is ready');
          },
          { timeoutMs: 4 * MINUTES, intervalMs: 250 },
        );
        const keys = await fetch(`http://127.0.0.1:${port}/.well-known/jwks.json`);
        expect(keys.status).toBe(200);
        expect((await fetch(`http://127.0.0.1:${port}/v1/users`)).status).toBe(401);
      } finally {
        await stopped(start);
      }
      await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    },
    6 * MINUTES,
  );

  it(
    'generates a service that compiles against the packages',
    async () => {
      const nx = (...args: string[]) => npm(['exec', '--', 'nx', ...args]);
      await nx('g', '@gatehouse/nx-plugin:service', 'orders', '--no-interactive');
      await npm(['install']);
      await nx('run-many', '-t', 'typecheck', 'build');
      expect(existsSync(join(shop, 'apps/orders/dist/main.js'))).toBe(true);
    },
    8 * MINUTES,
  );
});

function outputOf(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => (text += part));
  }
  return () => text;
}

/** As Ctrl-C does: to all of the group. */
async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid, 'SIGINT');
  await ended;
}
