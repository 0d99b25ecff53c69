import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  blocksOf,
  describeWithEngines,
  engineSet,
  ENGINES_START_MS,
  type EngineSet,
  eventually,
} from '@gatehouse/testing';
import { jest } from '@jest/globals';
import { Launcher } from './launcher.driver.ts';
import { WORKSPACE } from './support/readme-tour.ts';

jest.setTimeout(400_000);

const run = promisify(execFile);
const [backUp = '', restore = '', check = ''] = blocksOf(
  readFileSync(join(WORKSPACE, 'docs/backup.md'), 'utf8'),
).map(({ code }) => code);

interface Entries {
  items: { id: string; action: string; metadata?: unknown }[];
}

describeWithEngines(['postgres'], () => {
  let lost: EngineSet;
  let empty: EngineSet;
  let old: Launcher;
  let restored: Launcher;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-backup-'));
    [lost, empty] = await Promise.all([engineSet(['postgres']), engineSet(['postgres'])]);
    old = await Launcher.make(lost.env);
    restored = await Launcher.make(empty.env);
  }, ENGINES_START_MS);
  afterAll(async () => {
    await Promise.all([old.remove(), restored.remove()]);
    await Promise.all([lost.end(), empty.end()]);
    rmSync(folder, { recursive: true });
  });

  const inShell = async (script: string, set: EngineSet, launcher: Launcher): Promise<string> => {
    const env = { ...process.env, NODE_OPTIONS: '', BACKUP: folder };
    const { stdout } = await run('bash', ['-e', '-o', 'pipefail', '-c', script], {
      env: { ...env, ...set.env, GATEHOUSE_DATA_DIR: launcher.folder },
    });
    return stdout.trim();
  };

  const api = async <T>(
    launcher: Launcher,
    path: string,
    { token, body }: { token?: string; body?: object } = {},
  ): Promise<T> => {
    const answer = await fetch(launcher.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  };
  const logIn = async (launcher: Launcher): Promise<string> => {
    const { email, password } = JSON.parse(
      readFileSync(launcher.file('administrator.json'), 'utf8'),
    ) as Record<string, string>;
    const body = { email, password };
    const { access_token: token } = await api<{ access_token: string }>(
      launcher,
      '/v1/auth/login',
      { body },
    );
    return token;
  };
  const rolesIn = async (launcher: Launcher, token: string) => {
    const { items } = await api<Entries>(
      launcher,
      '/v1/audit/entries?action=authz.role.create&page_size=200',
      { token },
    );
    return items;
  };

  it('brings back what was there, onto another server, by the commands of the page', async () => {
    const running = await old.start('--scale');
    const token = await logIn(old);
    const body = { name: 'support', permissions: ['identity.user.read'] };
    const role = await api<{ name: string }>(old, '/v1/roles', { token, body });
    expect(role.name).toBe('support');
    const recorded = await eventually(
      async () => {
        const entries = await rolesIn(old, token);
        return entries.length === 1 && entries;
      },
      { timeoutMs: 30_000 },
    );

    await inShell(backUp, lost, old);
    await running.kill('SIGINT');
    expect((await running.exited).code).toBe(0);
    await lost.end();

    mkdirSync(restored.folder, { recursive: true });
    await inShell(restore, empty, restored);
    expect(await inShell(check, empty, restored)).toBe('0|0');
    const again = await restored.start('--scale');
    const newToken = await logIn(restored);
    expect(await rolesIn(restored, newToken)).toEqual(recorded);
    await expect(api(restored, '/v1/roles', { token: newToken, body })).rejects.toThrow('409');
    expect(await inShell(check, empty, restored)).toBe('0|0');
    await again.kill('SIGINT');
    expect((await again.exited).code).toBe(0);
  });

  it('notices a leaf that was changed behind the back of the platform', async () => {
    const spoil = `psql --dbname="$DATABASE_URL" --quiet --command="
      ALTER TABLE audit.entries DISABLE TRIGGER ALL;
      UPDATE audit.entries SET bytes = bytes || 'x' WHERE leaf_index = 1;
      DELETE FROM audit.entries WHERE leaf_index = 0"`;
    await inShell(spoil, empty, restored);
    expect(await inShell(check, empty, restored)).toBe('1|1');
  });
});
