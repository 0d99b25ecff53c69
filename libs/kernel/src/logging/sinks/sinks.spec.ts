import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { eventually } from '@gatehouse/testing';

import { ConfigError } from '../../config/config-error.ts';
import { FileSink } from './file.sink.ts';
import { LineBuffer } from './line-buffer.ts';
import type { SinkObserver } from './log-sink.ts';
import { otlpRecord } from './otlp-record.ts';
import { OtlpSink } from './otlp.sink.ts';
import { prettyFormat } from './pretty.ts';
import { StdoutSink } from './stdout.sink.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-sinks-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Notes what a sink tells. */
class Told implements SinkObserver {
  lost = 0;
  failures: unknown[] = [];
  recoveries: number[] = [];
  dropped(_sink: string, lines: number): void {
    this.lost += lines;
  }
  failing(_sink: string, error: unknown): void {
    this.failures.push(error);
  }
  recovered(_sink: string, dropped: number): void {
    this.recoveries.push(dropped);
  }
}

const lineOf = (n: number) => `{"n":${n},"pad":"${'ä'.repeat(200)}"}\n`;
const numbersIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { n: number }).n);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('LineBuffer', () => {
  it('holds so many bytes, first in, first out, and counts what it drops', () => {
    const drops: number[] = [];
    const buffer = new LineBuffer(10, (lines) => drops.push(lines));
    for (const line of ['aaaa', 'ä', 'bbbb', 'cc', 'd']) buffer.push(line);
    expect(drops).toEqual([1, 1]);
    expect(buffer.take(6)).toEqual(['aaaa', 'ä']);
    buffer.push('eeeeee');
    expect(buffer.take(1)).toEqual(['bbbb']);
    expect(buffer.take(100)).toEqual(['eeeeee']);
    expect(buffer.takeDropped()).toBe(2);
    expect(buffer.takeDropped()).toBe(0);
  });
});

describe('standard output into a pipe that nobody reads', () => {
  let pipe: number;
  let told: Told;
  let sink: StdoutSink;
  beforeEach(() => {
    const path = join(folder, `pipe-${Math.random()}`);
    execFileSync('mkfifo', [path]);
    pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    told = new Told();
    sink = new StdoutSink({ fd: pipe, maxBytes: 256 * 1024 }, told);
  });
  afterEach(() => closeSync(pipe));

  const readAll = (): string => {
    const chunks: Buffer[] = [];
    const chunk = Buffer.alloc(1024 * 1024);
    try {
      for (;;) chunks.push(Buffer.from(chunk.subarray(0, readSync(pipe, chunk))));
    } catch {
      return Buffer.concat(chunks).toString();
    }
  };

  it('keeps what fits, drops what does not, and goes on where it was once somebody reads', async () => {
    for (const n of upTo(2000)) sink.write(lineOf(n));
    expect(told.lost).toBeGreaterThan(500);
    expect(told.recoveries).toEqual([]);

    let text = readAll();
    await eventually(() => {
      text += readAll();
      expect(told.recoveries).toEqual([told.lost]);
    });
    sink.write(lineOf(5000));
    expect(numbersIn(text + readAll())).toEqual([...upTo(2000 - told.lost), 5000]);
  });

  it('is not waited for beyond its time by a process that ends', () => {
    for (const n of upTo(400)) sink.write(lineOf(n));
    const began = performance.now();
    sink.flushSync(50);
    expect(performance.now() - began).toBeGreaterThanOrEqual(50);
    let text = readAll();
    // The pipe takes a part at a time.
    for (let i = 0; i < 5; i += 1) {
      sink.flushSync(0);
      text += readAll();
    }
    expect(numbersIn(text)).toEqual(upTo(400));
    expect(told.lost).toBe(0);
  });
});

it('standard output on a full device fails once and lets nobody wait', () => {
  const told = new Told();
  const full = openSync('/dev/full', 'w');
  const sink = new StdoutSink({ fd: full, maxBytes: 64 * 1024 }, told);
  for (const n of upTo(1000)) sink.write(lineOf(n));
  expect(told.failures).toEqual([expect.objectContaining({ code: 'ENOSPC' })]);
  expect(told.lost).toBeGreaterThan(500);
  closeSync(full);
});

describe('a file', () => {
  const options = { fileBytes: 64 * 1024, keep: 2, maxBytes: 4 * 1024 * 1024 };

  it('is rotated by its size, keeps so many, and has every line whole and in order', async () => {
    const path = join(folder, 'made', 'orders.log');
    const sink = new FileSink({ ...options, path }, new Told());
    for (const n of upTo(200)) sink.write(lineOf(n));
    await sink.flush();
    // Of a process that begins again with the same file.
    const again = new FileSink({ ...options, path }, new Told());
    for (const n of upTo(350)) {
      again.write(lineOf(200 + n));
      if (n % 40 === 0) await again.flush();
    }
    await again.flush();

    const names = readdirSync(join(folder, 'made')).sort();
    expect(names).toEqual(['orders.log', 'orders.log.1', 'orders.log.2']);
    const files = names.reverse().map((name) => join(folder, 'made', name));
    for (const file of files) {
      expect(statSync(file).size).toBeLessThanOrEqual(options.fileBytes);
      expect(statSync(file).mode & 0o777).toBe(0o640);
    }
    const kept = numbersIn(files.map((file) => readFileSync(file, 'utf8')).join(''));
    expect(kept).toEqual(upTo(550).slice(-kept.length));
    expect(kept.length).toBeGreaterThan(200);
  });

  it('has its last lines where the process ends at once', async () => {
    const path = join(folder, 'last.log');
    const sink = new FileSink({ ...options, path }, new Told());
    for (const n of upTo(3)) sink.write(lineOf(n));
    sink.flushSync();
    expect(numbersIn(readFileSync(path, 'utf8'))).toEqual(expect.arrayContaining([1, 2]));
    await sink.flush();
  });

  it('that is full holds lines back up to the bound, says so once, and nobody waits', async () => {
    const told = new Told();
    const sink = new FileSink({ ...options, maxBytes: 128 * 1024, path: '/dev/full' }, told);
    for (const n of upTo(1000)) sink.write(lineOf(n));
    expect(told.lost).toBeGreaterThan(500);
    await eventually(() =>
      expect(told.failures).toEqual([expect.objectContaining({ code: 'ENOSPC' })]),
    );
  });

  it('stops the start where it cannot be written', () => {
    const path = join(folder, 'file-in-the-way');
    closeSync(openSync(path, 'w'));
    chmodSync(path, 0o600);
    const make = () => new FileSink({ ...options, path: join(path, 'a.log') }, new Told());
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(/LOG_FILE: .*a\.log cannot be written: /);
  });
});

describe('the Collector', () => {
  const config = {
    OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
    OTEL_EXPORTER_OTLP_HEADERS: {},
    OTEL_EXPORTER_OTLP_TIMEOUT: 10_000,
  } as const;
  let server: Server;
  let answer: (path: string | undefined) => number;
  let bytes: number;
  const listen = async (port: number) => {
    server = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      request.on('end', () => response.writeHead(answer(request.url)).end());
    }).listen(port, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return (server.address() as AddressInfo).port;
  };
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  beforeEach(() => {
    bytes = 0;
    answer = () => 200;
  });

  it('that is away is waited for, up to a bound; what did not fit is told once it is back', async () => {
    const port = await listen(0);
    await close();
    const told = new Told();
    const url = `http://127.0.0.1:${port}/v1/logs`;
    const sink = new OtlpSink({ url, maxBytes: 64 * 1024, config }, {}, told);
    for (const n of upTo(1000)) sink.write(lineOf(n));
    expect(told.lost).toBeGreaterThan(500);

    await listen(port);
    await eventually(() => expect(told.recoveries).toEqual([told.lost]), { timeoutMs: 30_000 });
    expect(bytes).toBeGreaterThan(40 * 1024);
    await close();
  }, 40_000);

  it('that refuses a batch is not asked again for it', async () => {
    const port = await listen(0);
    const asked: unknown[] = [];
    answer = (path) => {
      asked.push(path);
      return 400;
    };
    const told = new Told();
    const url = `http://127.0.0.1:${port}/v1/logs`;
    const sink = new OtlpSink({ url, maxBytes: 64 * 1024, config }, {}, told);
    for (const n of upTo(3)) sink.write(lineOf(n));
    await sink.flush();
    expect(told).toMatchObject({ lost: 3, failures: [expect.anything()] });
    expect(asked).toEqual(['/v1/logs']);
    await close();
  });

  it('is given a line as a record', () => {
    const line = {
      level: 'warn',
      time: '2026-11-23T12:00:00.123Z',
      service: 'orders',
      version: '1',
      instance: 'i',
      trace_id: 't',
      span_id: 's',
      principal_id: 'p',
      status: 409,
      code: 14,
      err: { type: 'E', cause: 'thrown' },
      tags: ['a', 'b'],
      gone: null,
      msg: 'text',
    };
    const origin = { resource: 'r', instrumentationScope: { name: 'n' } } as never;
    expect(otlpRecord(JSON.stringify(line), origin)).toMatchObject({
      hrTime: [Date.parse('2026-11-23T12:00:00Z') / 1000, 123_000_000],
      severityText: 'warn',
      severityNumber: 13,
      body: 'text',
      spanContext: { traceId: 't', spanId: 's' },
      attributes: {
        principal_id: 'p',
        status: 409,
        'err.type': 'E',
        code: '14',
        'err.cause.message': 'thrown',
        tags: '["a","b"]',
      },
    });
  });
});

describe('a line for people', () => {
  it('shows controls in values as escapes', async () => {
    const pretty = await prettyFormat();
    const nasty = '\u001b[2Jx\nFATAL: forged\r\u009b31m';
    const text = pretty(
      JSON.stringify({ level: 'info', time: 0, msg: nasty, [nasty]: nasty, deep: { nasty } }),
    );
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    expect(text).toContain('\\u001b[2Jx\\u000aFATAL: forged');
    // Colours of its own are all that is left.
    expect(stripVTControlCharacters(text)).not.toMatch(/\p{Cc}(?!$)/u);
  });
});
