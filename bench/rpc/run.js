import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { median } from '../lib/load.js';
import { start, stop } from '../lib/processes.js';
import { ask } from '../lib/ask.js';
import { record, rounded } from '../lib/result.js';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 25);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 1);
const AT_MOST = 1.15;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const RAW = 'raw grpc-js';
const SAME_METADATA = 'raw grpc-js, same metadata';
const OURS = 'our client';

/**
 * Our gRPC client as a service has it against raw grpc-js, on one method of Authz, all against one server. Each target is a
 * process of its own; all run at once and call in turn, round after round. What counts is CPU time a call of the calling
 * process, and the ratios within a round. The yardstick puts the same metadata on the wire; what a call without any costs
 * stands beside it.
 */
export async function run() {
  execFileSync('npx', ['nx', 'run-many', '-t', 'build', '-p', 'clients,contracts-authz'], {
    stdio: 'inherit',
  });
  const server = await start(here('server.js'));
  const targets = [];
  try {
    for (const name of [RAW, SAME_METADATA, OURS]) {
      const worker = await start(here('worker.js'), [name, server.port]);
      targets.push({ name, ...worker, rounds: [] });
    }
    for (const target of targets) await ask(target, { seconds: 2 });
    for (let round = 0; round < ROUNDS; round++) {
      for (let turn = 0; turn < targets.length; turn++) {
        const target = targets[(round + turn) % targets.length];
        target.rounds.push(await ask(target, { seconds: SECONDS }));
      }
    }
    report(targets);
  } finally {
    await Promise.all([...targets, server].map(stop));
  }
}

function report(targets) {
  const by = new Map(targets.map((target) => [target.name, target]));
  const against = (target, name) =>
    rounded(median(target.rounds.map((r, n) => r.cpuMicros / by.get(name).rounds[n].cpuMicros)));
  const rows = targets.map((target) => {
    const of = (field) => median(target.rounds.map((round) => round[field]));
    return {
      name: target.name,
      cpu_us_per_call: rounded(of('cpuMicros')),
      cpu_vs_same_metadata: against(target, SAME_METADATA),
      cpu_vs_raw: against(target, RAW),
      calls_per_second: Math.round(of('count') / SECONDS),
      p50_ms: rounded(of('p50')),
      p99_ms: rounded(of('p99')),
    };
  });
  console.log(`\nrpc: ${ROUNDS} interleaved rounds of ${SECONDS} s, 32 callers, medians`);
  console.table(Object.fromEntries(rows.map(({ name, ...row }) => [name, row])));
  const ratio = rows[2].cpu_vs_same_metadata;
  const budget = { cpu_vs_raw_at_most: AT_MOST, measured: ratio, within: ratio <= AT_MOST };
  console.log(
    `budget: ${ratio} of at most ${AT_MOST} times raw grpc-js with the same metadata; ${rows[2].cpu_vs_raw} times one that sends none`,
  );
  record(
    'rpc',
    { rounds: ROUNDS, seconds: SECONDS, callers: 32 },
    { rows, budget, rounds: targets.map(({ name, rounds }) => ({ name, rounds })) },
  );
}
