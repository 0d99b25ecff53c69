import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConsulClient } from './consul.client.ts';
import { ConsulWatch } from './consul.watch.ts';

const TIMES = { wait: 200, late: 200, pause: 5, firstRetry: 40, longestRetry: 160 };

describe('ConsulWatch', () => {
  let server: Server;
  let client: ConsulClient;
  let watch: ConsulWatch;
  /** What was asked, in order: the index sent, and when. */
  let asked: { index: string | null; wait: string | null; at: number }[];
  /** Answers the query of that number (0 is the first); undefined leaves it without an answer. */
  let answer: (n: number) => { index?: number; text?: string; status?: number } | undefined;
  let changes: number;
  let losses: number;

  beforeEach(async () => {
    asked = [];
    changes = losses = 0;
    server = createServer((request: IncomingMessage, response: ServerResponse) => {
      const { searchParams } = new URL(request.url ?? '', 'http://consul');
      const n = asked.length;
      asked.push({
        index: searchParams.get('index'),
        wait: searchParams.get('wait'),
        at: performance.now(),
      });
      const given = answer(n);
      if (!given) return;
      if (given.index !== undefined) response.setHeader('x-consul-index', given.index);
      response.writeHead(given.status ?? 200).end(given.text ?? '[]');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    client = new ConsulClient({ address: `http://127.0.0.1:${port}` });
    watch = new ConsulWatch(
      client,
      '/v1/health/state/any',
      {},
      {
        onChange: () => {
          changes++;
        },
        onLost: () => {
          losses++;
        },
      },
      TIMES,
    );
  });
  afterEach(async () => {
    await watch.stop();
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const queries = (count: number) =>
    eventually(() => expect(asked.length).toBeGreaterThanOrEqual(count));

  it('asks first without an index, then waits beyond the one it was given', async () => {
    answer = (n) => (n < 2 ? { index: 7 + n } : undefined);
    await watch.start();
    await queries(3);
    expect(asked.map(({ index }) => index)).toEqual([null, '7', '8']);
    expect(asked[1]?.wait).toBe('200ms');
  });

  it('tells of an answer that differs, and of none that came for another reason', async () => {
    answer = (n) => (n < 4 ? { index: 1 + n, text: n < 2 ? 'a' : 'b' } : undefined);
    await watch.start();
    await queries(5);
    expect(changes).toBe(1);
    expect(losses).toBe(0);
  });

  it('takes an index of 0 for 1, so that a query never returns at once for ever', async () => {
    answer = (n) => (n === 0 ? { index: 0 } : undefined);
    await watch.start();
    await queries(2);
    expect(asked[1]?.index).toBe('1');
  });

  it('begins again where the index goes backwards, and says that data may be lost', async () => {
    answer = (n) => [{ index: 90 }, { index: 20 }, { index: 21 }][n];
    await watch.start();
    await queries(4);
    expect(asked.map(({ index }) => index)).toEqual([null, '90', null, '21']);
    expect(losses).toBe(1);
    expect(changes).toBeGreaterThanOrEqual(1);
  });

  it('rests longer after each error, up to a bound, and begins again without an index', async () => {
    answer = (n) => (n === 0 ? { index: 5 } : n < 6 ? { status: 500 } : { index: 3 });
    await watch.start();
    await eventually(() => expect(changes).toBe(1));
    expect(losses).toBe(1);
    await queries(8);
    expect(asked.slice(1, 8).map(({ index }) => index)).toEqual([
      ...['5', null, null, null, null, null],
      '3',
    ]);
    const rests = asked.slice(1, 7).map(({ at }, n, all) => at - (all[n - 1]?.at ?? at));
    // Half of 40, 80, 160, 160 at least: each has jitter.
    [0, 20, 40, 80, 80, 80].forEach((least, n) =>
      expect(rests[n]).toBeGreaterThanOrEqual(least - 2),
    );
  });

  it('gives up a query that is not answered in time', async () => {
    answer = (n) => (n === 0 ? { index: 5 } : undefined);
    await watch.start();
    await eventually(() => expect(losses).toBe(1), { timeoutMs: 2_000 });
    await queries(3);
  });

  it('does not start where the first answer cannot be had', async () => {
    answer = () => ({ status: 403, text: 'Permission denied' });
    await expect(watch.start()).rejects.toThrow('403: Permission denied');
  });

  it('ends a query that is under way when it is stopped', async () => {
    answer = (n) => (n === 0 ? { index: 5 } : undefined);
    await watch.start();
    await queries(2);
    await watch.stop();
    expect(losses).toBe(0);
  });
});
