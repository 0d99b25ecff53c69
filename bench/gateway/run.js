import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { load, median, quantile } from '../lib/load.js';
import { cpuSeconds, proportionalMemory, start, stop } from '../lib/processes.js';
import { accessToken, makeKey } from './tokens.js';
import { record, rounded } from '../lib/result.js';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 3);
const CONNECTIONS = 32;
const SUBJECTS = 64;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const TARGETS = [
  { name: 'relay', title: 'bare node:http + undici relay', module: 'relay.js' },
  { name: 'gateway', title: 'gateway, every stage on', module: 'gateway.js' },
  { name: 'http-proxy', title: 'fastify + @fastify/http-proxy', module: 'http-proxy.js' },
];

/**
 * The gateway against a relay that does nothing else and against what a team would reach for. All run at once and are
 * loaded in turn, round after round, so that whatever the machine does meanwhile meets them alike. What counts is CPU time
 * a request of the proxy's process alone, and the ratios within a round.
 */
export async function run() {
  execFileSync('npx', ['nx', 'run', 'gateway:build'], { stdio: 'inherit' });
  const key = makeKey();
  const upstream = await start(here('upstream.js'));
  const targets = [];
  for (const target of TARGETS) {
    targets.push({
      ...target,
      ...(await start(here(target.module), [upstream.port], { BENCH_SIGNING_KEY: key })),
      rounds: [],
    });
  }
  const requests = requestsOf(key);
  try {
    for (const target of targets) await measure(target, requests, 2);
    for (let round = 0; round < ROUNDS; round++) {
      for (let turn = 0; turn < targets.length; turn++) {
        const target = targets[(round + turn) % targets.length];
        target.rounds.push(await measure(target, requests, SECONDS));
      }
    }
    report(targets);
  } finally {
    await Promise.all([...targets, upstream].map(stop));
  }
}

async function measure(target, requests, seconds) {
  const { child, port } = target;
  await load({ port, connections: CONNECTIONS, seconds: 0.3, requests });
  const before = cpuSeconds(child.pid);
  const {
    count,
    seconds: took,
    latencies,
  } = await load({
    port,
    connections: CONNECTIONS,
    seconds,
    requests,
  });
  return {
    cpuMicros: ((cpuSeconds(child.pid) - before) / count) * 1e6,
    perSecond: count / took,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

/** What a client sends: a token, and the headers that clients have. */
function requestsOf(key) {
  return Array.from({ length: SUBJECTS }, (_, n) =>
    Buffer.from(
      `GET /v1/things/${1000 + n}?view=full HTTP/1.1\r\nHost: api.example\r\n` +
        'User-Agent: bench/1.0\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n' +
        `Authorization: Bearer ${accessToken(key, `subject-${n}`)}\r\n\r\n`,
    ),
  );
}

function report(targets) {
  const [relay, , proxy] = targets;
  const rows = targets.map((target) => {
    const of = (field) => median(target.rounds.map((round) => round[field]));
    const against = (other, field) =>
      median(target.rounds.map((round, index) => round[field] / other.rounds[index][field]));
    return {
      name: target.name,
      title: target.title,
      cpu_us_per_request: rounded(of('cpuMicros')),
      cpu_vs_relay: rounded(against(relay, 'cpuMicros')),
      cpu_vs_http_proxy: rounded(against(proxy, 'cpuMicros')),
      requests_per_second: Math.round(of('perSecond')),
      throughput_vs_relay: rounded(against(relay, 'perSecond')),
      p50_ms: rounded(of('p50')),
      p99_ms: rounded(of('p99')),
      pss_mb: Math.round(proportionalMemory(target.child.pid) / 1e6),
    };
  });
  console.log(
    `\ngateway: ${ROUNDS} interleaved rounds of ${SECONDS} s, ${CONNECTIONS} connections, medians`,
  );
  console.table(Object.fromEntries(rows.map(({ title, ...row }) => [title, row])));
  const gateway = rows[1];
  const budget = {
    cpu_vs_relay_at_most: 1.25,
    cpu_vs_http_proxy_at_most: 0.5,
    within: gateway.cpu_vs_relay <= 1.25 && gateway.cpu_vs_http_proxy <= 0.5,
  };
  console.log(
    `budget: ${gateway.cpu_vs_relay} of at most 1.25 times the relay, ${gateway.cpu_vs_http_proxy} of at most 0.5 times @fastify/http-proxy`,
  );
  record(
    'gateway',
    { rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, subjects: SUBJECTS },
    { rows, budget, rounds: targets.map(({ name, rounds }) => ({ name, rounds })) },
  );
}
