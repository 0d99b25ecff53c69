import { fork } from 'node:child_process';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { type ChildProcessHandle, startProcess } from '@gatehouse/testing';

// Plain JavaScript over the built library: signals and exit codes are a process's own.
const MAIN = fileURLToPath(new URL('fixtures/probe/main.mjs', import.meta.url));
const ENV = {
  NODE_OPTIONS: '',
  GATEHOUSE_PROFILE: 'embedded',
  PROBE_SECRET: 'correct-horse',
  SHUTDOWN_DRAIN_SECONDS: '0',
  LOG_LEVEL: 'debug',
};

const start = (args: string[], env: Record<string, string> = {}, readyWhen?: RegExp) =>
  startProcess(process.execPath, [MAIN, ...args], {
    env: { ...ENV, ...env },
    cwd: tmpdir(),
    ...(readyWhen && { readyWhen }),
  });

const lines = ({ stdout }: ChildProcessHandle) =>
  stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const messages = (child: ChildProcessHandle) => lines(child).map(({ msg }) => String(msg));
const READY = /"msg":"ready"/;
const urlOf = (child: ChildProcessHandle) =>
  String(lines(child).find(({ msg }) => msg === 'ready')?.http);

describe('a service as a process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s answers what is in flight, stops in order and exits with 0',
    async (signal) => {
      const child = await start([], {}, READY);
      const answer = fetch(`${urlOf(child)}/v1/probe/slow`);
      await new Promise((resolve) => setTimeout(resolve, 150));
      process.kill(child.pid, signal);
      expect((await answer).status).toBe(200);
      expect(await child.exited).toEqual({ code: 0, signal: null });
      const said = messages(child);
      expect(said).toContain(`stopping: ${signal}`);
      expect(said.filter((text) => text.startsWith('stop '))).toEqual([
        'stop unready: serving',
        'stop drain: routes',
        'stop close-listeners: listeners',
        'stop in-flight: requests and calls',
        'stop close: nest',
      ]);
    },
  );

  it('is not cut short by the same Ctrl-C arriving twice', async () => {
    const child = await start([], {}, READY);
    const answer = fetch(`${urlOf(child)}/v1/probe/slow`);
    await new Promise((resolve) => setTimeout(resolve, 150));
    for (const signal of ['SIGINT', 'SIGINT', 'SIGTERM'] as const) process.kill(child.pid, signal);
    expect((await answer).status).toBe(200);
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  it.each([
    ['throw', 'uncaught exception: stopping', 'nobody caught this'],
    ['reject', 'unhandled rejection: stopping', 'nobody awaited this'],
  ])(
    'that meets an error nobody caught (%s) logs it, stops in order and exits with 1',
    async (mode, msg, reason) => {
      const child = await start([], { PROBE_MODE: mode });
      expect(await child.exited).toEqual({ code: 1, signal: null });
      expect(lines(child)).toContainEqual(
        expect.objectContaining({
          level: 'fatal',
          msg,
          err: expect.objectContaining({
            message: reason,
            stack: expect.any(String) as string,
          }) as object,
        }),
      );
      expect(messages(child)).toContain('stop close: nest');
    },
  );

  it('with a wrong variable says so in plain words and exits with 78', async () => {
    const child = await start([], { PROBE_SECRET: 'hunter2' });
    expect(await child.exited).toEqual({ code: 78, signal: null });
    expect(child.stderr).toContain('PROBE_SECRET');
    expect(child.stderr).toContain('for example PROBE_SECRET=correct-horse');
    expect(child.stdout + child.stderr).not.toContain('hunter2');
    expect(lines(child)).toHaveLength(1);
  });

  it('that cannot start names phase and step, and exits with 1', async () => {
    const child = await start([], { PROBE_MODE: 'fail-start' });
    expect(await child.exited).toEqual({ code: 1, signal: null });
    expect(lines(child)).toContainEqual(
      expect.objectContaining({
        level: 'fatal',
        err: expect.objectContaining({
          message: 'start phase database, probe database: no database here',
        }) as object,
      }),
    );
  });

  it('tells its launcher where it is, and stops when the launcher is gone', async () => {
    const child = fork(MAIN, [], { env: { ...process.env, ...ENV }, silent: true, execArgv: [] });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const ready = await new Promise<Record<string, unknown>>((resolve) =>
      child.once('message', (message) => resolve(message as Record<string, unknown>)),
    );
    expect(ready).toMatchObject({
      type: 'ready',
      httpUrl: expect.stringMatching(/^http:/) as string,
    });
    child.disconnect();
    expect(await exited).toBe(0);
  });
});

describe('a command', () => {
  it('runs instead of the service, with its arguments', async () => {
    const child = await start(['greet', 'Ada', 'Lovelace']);
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(child.stdout).toContain('hello Ada Lovelace');
    expect(child.stdout).not.toContain('start transports');
  });

  it('that does not exist exits with 64 and lists those that do', async () => {
    const child = await start(['dance']);
    expect(await child.exited).toEqual({ code: 64, signal: null });
    expect(child.stderr).toMatch(/no command dance[^]*greet {2}Says hello/);
  });
});
