import { fileURLToPath } from 'node:url';

import { type ChildProcessHandle, freePort, startProcess } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { TokensView } from '../src/auth.schemas.ts';
import { AuthPlatform } from './support/auth-platform.ts';
import { ANN } from './support/people.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

describe('auth as a process', () => {
  let platform: AuthPlatform;
  let url: string;
  let running: ChildProcessHandle;

  async function start(env: Record<string, string> = {}): Promise<void> {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    running = await startProcess('node', [MAIN], {
      // What Jest runs with is not for a service.
      env: { NODE_OPTIONS: undefined, ...platform.authEnv({ HTTP_PORT: String(port), ...env }) },
      readyWhen: async () => (await fetch(`${url}/.well-known/jwks.json`)).ok,
    });
  }
  const post = (path: string, body: object) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const tokens = async (answer: Response) => (await answer.json()) as TokensView;
  const refresh = (token: string) => post('/v1/auth/refresh', { refresh_token: token });
  const logIn = async () => {
    const answer = await post('/v1/auth/login', ANN);
    expect(answer.status).toBe(200);
    return tokens(answer);
  };
  const admin = async (sql: string, parameters: unknown[] = []) => {
    const database = await platform.database.open('auth');
    try {
      return await database.query(sql, parameters);
    } finally {
      await database.close();
    }
  };

  beforeAll(async () => {
    platform = await AuthPlatform.start();
    await start();
    expect((await post('/v1/auth/register', ANN)).status).toBe(202);
  }, 90_000);
  afterAll(async () => {
    await running.kill();
    await platform.stop();
  });

  it('killed in the middle of fifty refreshes has made one rotation, and goes on with it', async () => {
    const { refresh_token: token, session_id: id } = await logIn();
    const answers = Array.from({ length: 50 }, () =>
      refresh(token).then(
        (answer) => (answer.ok ? tokens(answer) : undefined),
        () => undefined,
      ),
    );
    await Promise.race(answers);
    await running.kill('SIGKILL');
    const before = new Set(
      (await Promise.all(answers)).flatMap((view) => (view ? [view.refresh_token] : [])),
    );
    expect(before.size).toBe(1);

    await start();
    // Starting anew may have taken longer than the window.
    await admin(
      `UPDATE sessions SET rotated_at = ARRAY(SELECT now() FROM unnest(rotated_at)) WHERE id = $1`,
      [id],
    );
    const again = await tokens(await refresh(token));
    expect(again.refresh_token).toBe([...before][0]);
    expect((await refresh(again.refresh_token)).status).toBe(200);

    await admin(
      `UPDATE sessions SET rotated_at = ARRAY(SELECT now() - interval '11 s' FROM unnest(rotated_at)) WHERE id = $1`,
      [id],
    );
    expect((await refresh(token)).status).toBe(401);
    const [session] = await admin(`SELECT revoke_reason FROM sessions WHERE id = $1`, [id]);
    expect(session).toEqual({ revoke_reason: 'refresh_reused' });
  }, 90_000);

  it('killed between Identity and the credential finishes the registration when it is back', async () => {
    const bob = { email: 'bob@example.com', password: 'purple monkey dishwasher' };
    platform.identity.afterCreate = () => {
      platform.identity.afterCreate = () => undefined;
      process.kill(running.pid, 'SIGKILL');
    };
    await expect(post('/v1/auth/register', bob)).rejects.toThrow();
    await running.exited;
    expect(platform.identity.byEmail(bob.email)).toBeDefined();
    await admin(`UPDATE registrations SET next_attempt_at = now()`);
    await start();
    const deadline = Date.now() + 20_000;
    while ((await admin(`SELECT 1 FROM registrations`)).length > 0) {
      if (Date.now() > deadline) throw new Error('the registration is still pending');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect((await post('/v1/auth/login', bob)).status).toBe(200);
  }, 90_000);

  it('refuses early, with Retry-After, when too many passwords wait', async () => {
    await running.kill();
    await start({ PASSWORD_HASH_QUEUE: '1', PASSWORD_HASH_CONCURRENCY: '1' });
    const guess = () => post('/v1/auth/login', { email: 'x@example.com', password: 'a guess' });
    const answers = await Promise.all(Array.from({ length: 10 }, guess));
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    // Nobody's guess was counted that was not tried.
    const [row] = await admin(
      `SELECT sum(failures)::int AS failures FROM guesses WHERE subject LIKE 'address:%'`,
    );
    expect(row).toEqual({
      failures: answers.filter(({ status }) => status === 401).length,
    });
  }, 60_000);

  it('rotates its keys by command, while it runs', async () => {
    const command = await startProcess('node', [MAIN, 'rotate-keys'], {
      env: { NODE_OPTIONS: undefined, ...platform.authEnv() },
    });
    expect(await command.exited).toMatchObject({ code: 0 });
    expect(command.stdout).toMatch(/^The key \S+ signs from \S+Z on\.$/m);
    const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as {
      keys: unknown[];
    };
    expect(keys).toHaveLength(2);
  }, 30_000);
});
