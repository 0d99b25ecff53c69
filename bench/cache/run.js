import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { median } from '../lib/load.js';
import { start, stop } from '../lib/processes.js';
import { ask } from '../lib/ask.js';
import { record, rounded } from '../lib/result.js';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 2);
const CALLERS = 1_000;
const LOAD_MS = 100;
const worker = fileURLToPath(new URL('worker.js', import.meta.url));

/** Ours and what it is held against; `bare` is the yardstick of its kind. */
const KINDS = [
  { kind: 'memory', targets: ['memory', 'memory, cache-manager'], bare: 'memory, cache-manager' },
  {
    kind: 'redis',
    targets: ['redis', 'redis, cache-manager', 'redis, bare client'],
    bare: 'redis, bare client',
  },
];

/**
 * Hits and misses of the cache against cache-manager and against a bare client, interleaved, in processes of their own: CPU
 * time a call of the service's process, and how long a call takes. Then 1,000 callers of one cold key.
 */
export async function run() {
  execFileSync('npx', ['nx', 'run', 'cache:build'], { stdio: 'inherit' });
  execFileSync('npx', ['nx', 'run', 'testing:build'], { stdio: 'inherit' });
  const redis = await redisToUse();
  try {
    const kinds = KINDS.filter(({ kind }) => kind !== 'redis' || redis !== undefined);
    const rows = [];
    for (const kind of kinds) rows.push(...(await measure(kind, redis?.env ?? {})));
    const stampedes = await measureStampedes(redis?.env);
    report(rows, stampedes);
  } finally {
    await redis?.end();
  }
}

/** REDIS_URL's, else one of its own, else none. */
async function redisToUse() {
  if (process.env.REDIS_URL !== undefined) return { env: {}, end: () => Promise.resolve() };
  const { engineSet, enginesBin } = await import('@gatehouse/testing');
  if (enginesBin() !== undefined) return engineSet(['redis']);
  console.log('cache: Redis left out, for neither REDIS_URL nor ENGINES_BIN names one');
  return undefined;
}

async function measure({ targets: names, bare }, env) {
  const targets = [];
  for (const name of names) targets.push({ name, ...(await start(worker, [name], env)) });
  try {
    const rows = [];
    for (const job of ['hit', 'miss']) {
      for (const target of targets) await ask(target, { job, seconds: 0.5, round: 'warm' });
      const rounds = new Map(names.map((name) => [name, []]));
      for (let round = 0; round < ROUNDS; round++) {
        for (let turn = 0; turn < targets.length; turn++) {
          const target = targets[(round + turn) % targets.length];
          rounds.get(target.name).push(await ask(target, { job, seconds: SECONDS, round }));
        }
      }
      for (const name of names) {
        const of = (field) => median(rounds.get(name).map((round) => round[field]));
        rows.push({
          name,
          job,
          cpu_us_per_call: rounded(of('cpuMicros')),
          cpu_vs_bare: rounded(
            median(rounds.get(name).map((r, n) => r.cpuMicros / rounds.get(bare)[n].cpuMicros)),
          ),
          calls_per_second: Math.round(of('count') / SECONDS),
          p50_ms: rounded(of('p50')),
          p99_ms: rounded(of('p99')),
          loads: of('loads'),
        });
      }
    }
    return rows;
  } finally {
    await Promise.all(targets.map(stop));
  }
}

async function measureStampedes(redisEnv) {
  const cases = [{ name: 'memory', processes: 1, env: {} }];
  if (redisEnv !== undefined) {
    cases.push(
      { name: 'redis', processes: 2, singleFlight: 'fleet', env: redisEnv },
      { name: 'redis', processes: 2, singleFlight: 'process', env: redisEnv },
      { name: 'redis, cache-manager', processes: 2, env: redisEnv },
      { name: 'redis, bare client', processes: 2, env: redisEnv },
    );
  }
  const results = [];
  for (const { name, processes, singleFlight, env } of cases) {
    const fleet = [];
    while (fleet.length < processes) fleet.push(await start(worker, [name], env));
    try {
      const rounds = [];
      for (let round = 0; round < ROUNDS; round++) {
        const order = {
          job: 'stampede',
          key: `stampede ${process.pid} ${singleFlight ?? ''} ${round}`,
          callers: CALLERS / processes,
          loadMs: LOAD_MS,
          at: Date.now() + 100,
          singleFlight,
        };
        const answers = await Promise.all(fleet.map((one) => ask(one, order)));
        rounds.push({
          loads: answers.reduce((sum, { loads }) => sum + loads, 0),
          ms: Math.max(...answers.map(({ ms }) => ms)),
        });
      }
      results.push({
        name: `${name}${singleFlight === undefined ? '' : `, single flight: ${singleFlight}`}`,
        processes,
        loads: Math.max(...rounds.map(({ loads }) => loads)),
        all_answered_ms: rounded(median(rounds.map(({ ms }) => ms))),
      });
    } finally {
      await Promise.all(fleet.map(stop));
    }
  }
  return results;
}

function report(rows, stampedes) {
  console.log(`\ncache: ${ROUNDS} interleaved rounds of ${SECONDS} s, 32 callers, medians`);
  console.table(Object.fromEntries(rows.map(({ name, job, ...row }) => [`${job}: ${name}`, row])));
  console.log(`${CALLERS} callers of one cold key, a load of ${LOAD_MS} ms, most loads of a round`);
  console.table(Object.fromEntries(stampedes.map(({ name, ...row }) => [name, row])));
  const held = stampedes.filter(({ name }) => /^memory$|fleet$/.test(name));
  const once = held.every(({ loads }) => loads === 1);
  console.log(`one load for ${CALLERS} callers: ${once ? 'yes' : 'NO'}`);
  if (!once) process.exitCode = 1;
  record(
    'cache',
    { rounds: ROUNDS, seconds: SECONDS, callers: CALLERS, load_ms: LOAD_MS },
    { rows, stampedes, one_load: once },
  );
}
