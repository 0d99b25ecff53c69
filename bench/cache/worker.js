// One process of a service that caches: does what the runner asks, and says what it took.
import { Logger } from '@nestjs/common';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../lib/load.js';
import { TARGETS } from './targets.js';

const CALLERS = 32;
const HOT_KEYS = 64;

Logger.overrideLogger(['error', 'warn']);
const cached = await TARGETS[process.argv[2]]();
let loads = 0;
let fresh = 0;

/** About 300 bytes of JSON. */
const thing = (key) => ({
  id: key,
  name: `Thing ${key}`,
  owner: { id: '0192f0c1-2d7e-7cc3-98c4-dc0c0c07398f', name: 'Ann Example' },
  tags: ['alpha', 'beta', 'gamma'],
  created: '2026-11-23T09:00:00.000Z',
  text: 'x'.repeat(100),
});
const load = (key) => () => {
  loads++;
  return Promise.resolve(thing(key));
};

const jobs = {
  hit: ({ seconds }) => loop(seconds, () => `hot ${fresh++ % HOT_KEYS}`),
  miss: ({ seconds, round }) => loop(seconds, () => `cold ${process.pid} ${round} ${fresh++}`),
  stampede,
};

/** Callers that each ask again when they have been answered. */
async function loop(seconds, nextKey) {
  const latencies = [];
  const before = process.cpuUsage();
  const until = performance.now() + seconds * 1000;
  loads = 0;
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (performance.now() < until) {
        const key = nextKey();
        const asked = performance.now();
        await cached(key, load(key));
        latencies.push(performance.now() - asked);
        // A memory answers without ever letting timers and sockets have their turn.
        if (latencies.length % 1024 === 0) await new Promise(setImmediate);
      }
    }),
  );
  const { user, system } = process.cpuUsage(before);
  const sorted = Float64Array.from(latencies).sort();
  return {
    count: sorted.length,
    loads,
    cpuMicros: (user + system) / sorted.length,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
  };
}

/** Many callers of one cold key, at the same moment in every process. */
async function stampede({ key, callers, loadMs, at, singleFlight }) {
  loads = 0;
  await sleep(at - Date.now());
  const began = performance.now();
  const slow = async () => {
    loads++;
    await sleep(loadMs);
    return thing(key);
  };
  const answers = await Promise.all(
    Array.from({ length: callers }, () => cached(key, slow, singleFlight)),
  );
  if (!answers.every(({ id }) => id === key)) throw new Error('a caller got something else');
  return { loads, ms: performance.now() - began };
}

process.on('message', ({ id, job, ...order }) => {
  void jobs[job](order).then((answer) => process.send({ id, answer }));
});
process.on('SIGTERM', () => process.exit(0));
process.send({ port: 0 });
