import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { eventually } from '@gatehouse/testing';

// Over the built library: what a process does at its end is its own.
const MAIN = fileURLToPath(new URL('fixtures/probe/main.mjs', import.meta.url));
const ENV = {
  GATEHOUSE_PROFILE: 'embedded',
  PROBE_SECRET: 'correct-horse',
  SHUTDOWN_DRAIN_SECONDS: '0',
  LOG_LEVEL: 'debug',
  LOG_BUFFER_BYTES: String(64 * 1024),
};

type Line = Record<string, unknown>;
const linesOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

/** What is told of standard output. @throws where nothing is */
const ofStdout = (lines: Line[]): Line => {
  const found = lines.find(({ sink }) => sink === 'stdout');
  if (found === undefined) throw new Error('no line tells of standard output');
  return found;
};

describe('a process whose standard output is a pipe', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-logs-'));
  const fifo = join(folder, 'stdout');
  const children: ChildProcess[] = [];
  let pipe: number;
  beforeEach(() => {
    execFileSync('mkfifo', [fifo]);
    // A description of our own: the child makes its one non-blocking, or not.
    pipe = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    closeSync(pipe);
    rmSync(fifo);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const start = (env: Record<string, string> = {}) => {
    const stdout = openSync(fifo, constants.O_RDWR);
    const child = spawn(process.execPath, [MAIN], {
      stdio: ['ignore', stdout, 'ignore', 'ipc'],
      env: { ...process.env, ...ENV, ...env, NODE_OPTIONS: '' },
    });
    closeSync(stdout);
    children.push(child);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const ready = new Promise<{ httpUrl: string; adminUrl: string }>((resolve) =>
      child.once('message', (message) => resolve(message as never)),
    );
    return { child, exited, ready };
  };
  const readAll = (): string => {
    const chunks: Buffer[] = [];
    const chunk = Buffer.alloc(1024 * 1024);
    try {
      for (;;) chunks.push(Buffer.from(chunk.subarray(0, readSync(pipe, chunk))));
    } catch {
      return Buffer.concat(chunks).toString();
    }
  };
  const droppedOf = async (adminUrl: string) => {
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    return Number(/^log_lines_dropped_total\{.*sink="stdout".*\} (\d+)/m.exec(metrics)?.[1]);
  };
  const ask = (httpUrl: string, times: number) =>
    Promise.all(Array.from({ length: times }, () => fetch(`${httpUrl}/v1/none`)));

  it('answers every request and ends in time while its reader has stopped; says later what is missing', async () => {
    const file = join(folder, '{service}.log');
    const { child, exited, ready } = start({ LOG_FILE: file, LOG_FILE_MAX_BYTES: '1000000' });
    const { httpUrl, adminUrl } = await ready;
    expect(await droppedOf(adminUrl)).toBe(0);
    await eventually(
      async () => {
        for (const { status } of await ask(httpUrl, 100)) expect(status).toBe(404);
        expect(await droppedOf(adminUrl)).toBeGreaterThan(0);
      },
      { timeoutMs: 30_000, intervalMs: 0 },
    );
    const dropped = await droppedOf(adminUrl);

    let text = readAll();
    const recovered = await eventually(() => {
      text += readAll();
      return ofStdout(linesOf(text));
    });
    expect(recovered).toMatchObject({ level: 'warn', service: 'probe' });
    expect(recovered.dropped).toBeGreaterThanOrEqual(dropped);
    // The file missed nothing.
    const answered = await eventually(() => {
      const lines = linesOf(readFileSync(join(folder, 'probe.log'), 'utf8'));
      ofStdout(lines);
      return lines;
    });
    expect(readdirSync(folder).filter((name) => name.startsWith('probe.log'))).toHaveLength(1);
    const requests = (lines: Line[]) => lines.filter(({ msg }) => msg === 'request answered');
    expect(requests(linesOf(text)).length).toBeLessThan(requests(answered).length);

    // Stopped again, and told to end.
    await eventually(
      async () => {
        await ask(httpUrl, 100);
        expect(await droppedOf(adminUrl)).toBeGreaterThan(dropped);
      },
      { timeoutMs: 30_000, intervalMs: 0 },
    );
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(readFileSync(join(folder, 'probe.log'), 'utf8')).toContain('stop close: nest');
  }, 90_000);

  it('has said why it ends, where it ends by an error', async () => {
    const { exited } = start({ PROBE_MODE: 'throw' });
    expect(await exited).toBe(1);
    expect(linesOf(readAll())).toContainEqual(
      expect.objectContaining({
        level: 'fatal',
        service: 'probe',
        version: '1.2.3',
        instance: expect.any(String) as string,
        msg: 'uncaught exception: stopping',
      }),
    );
  });

  it('has said why it does not start, in the same form', async () => {
    const { exited } = start({ LOG_FILE: '/dev/null/x.log' });
    expect(await exited).toBe(78);
    const lines = linesOf(readAll());
    expect(lines).toEqual([
      expect.objectContaining({ level: 'fatal', service: 'probe', msg: 'the start failed' }),
    ]);
    expect(JSON.stringify(lines)).toContain('LOG_FILE: /dev/null/x.log cannot be written');
  });
});
