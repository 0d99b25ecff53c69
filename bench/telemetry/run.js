import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { load, median, quantile } from '../lib/load.js';
import { cpuSeconds } from '../lib/processes.js';
import { record, rounded } from '../lib/result.js';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 15);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 2);
const CONNECTIONS = 8;
const AT_MOST = 1.1;
const SCRAPE_EVERY_MS = 1_000;
const SERVICES = ['gateway', 'auth', 'identity', 'authz', 'audit'];

const OFF = 'off';
const ON = 'on';

/**
 * What telemetry costs: two whole platforms, one with an endpoint (1 % of traces, logs by OTLP to a real Collector, metrics
 * scraped each second), one without, loaded in turn, round after round. What counts is CPU time a request of all the
 * processes of a platform together, and the ratios within a round. Half of the requests are served from a cache, half ask
 * the database. Needs ENGINES_BIN.
 */
export async function run() {
  execFileSync(
    'npx',
    ['nx', 'run-many', '-t', 'build', '-p', [...SERVICES, 'cli', 'testing-platform'].join()],
    {
      stdio: 'inherit',
    },
  );
  const { startPlatform } = await import('@gatehouse/testing-platform');
  const { engineSet } = await import('@gatehouse/testing');
  const collector = await engineSet(['otelcol'], {
    settings: {
      OTELCOL_CONFIG: fileURLToPath(new URL('../../docker/otelcol/config.yaml', import.meta.url)),
      OTELCOL_HOST: '127.0.0.1',
    },
  });
  const targets = [];
  try {
    for (const name of [OFF, ON]) {
      targets.push(await target(name, name === ON ? collector.env : {}, startPlatform));
    }
    for (const each of targets) await measure(each, 3);
    for (let round = 0; round < ROUNDS; round++) {
      for (let turn = 0; turn < targets.length; turn++) {
        const each = targets[(round + turn) % targets.length];
        each.rounds.push(await measure(each, SECONDS));
      }
    }
    report(targets, await sent(targets[1]));
  } finally {
    for (const { platform, scraping } of targets) {
      clearInterval(scraping);
      await platform.stop();
    }
    await collector.end();
  }
}

async function target(name, telemetry, startPlatform) {
  const platform = await startPlatform({
    env: {
      ...telemetry,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
      GATEWAY_ADDRESS_LIMIT: '1000000',
      GATEWAY_PRINCIPAL_LIMIT: '1000000',
    },
  });
  const { accessToken } = await platform.loginAsAdministrator();
  const request = (path) =>
    Buffer.from(
      `GET ${path} HTTP/1.1\r\nHost: api.example\r\nUser-Agent: bench/1.0\r\nAccept: application/json\r\n` +
        `Authorization: Bearer ${accessToken}\r\n\r\n`,
    );
  return {
    name,
    platform,
    pids: SERVICES.map((service) => platform.instance(service).pid),
    port: Number(new URL(platform.gatewayUrl).port),
    requests: ['/v1/users/me', '/v1/users?page_size=5'].map(request),
    scraping: name === ON ? setInterval(() => void scrape(platform), SCRAPE_EVERY_MS) : undefined,
    rounds: [],
  };
}

async function scrape(platform) {
  await Promise.all(
    SERVICES.map(async (service) => {
      const answer = await fetch(`${platform.adminUrlOf(service)}/metrics`);
      await answer.text();
    }),
  );
}

async function measure({ port, pids, requests }, seconds) {
  await load({ port, connections: CONNECTIONS, seconds: 0.3, requests });
  const [gateway] = pids;
  const all = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const before = { all: all(), gateway: cpuSeconds(gateway) };
  const { count, latencies } = await load({ port, connections: CONNECTIONS, seconds, requests });
  return {
    cpuMicros: ((all() - before.all) / count) * 1e6,
    gatewayMicros: ((cpuSeconds(gateway) - before.gateway) / count) * 1e6,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

/** What the Collector was sent, by the processes' own count: proof that the one platform had telemetry on. */
async function sent({ platform }) {
  const values = await Promise.all(
    SERVICES.map(async (service) => {
      const text = await (await fetch(`${platform.adminUrlOf(service)}/metrics`)).text();
      return (name) => Number(new RegExp(`^${name}\\S* ([\\d.]+)$`, 'm').exec(text)?.[1] ?? 0);
    }),
  );
  const exported = values.reduce((sum, read) => sum + read('otel_spans_exported_total'), 0);
  if (exported === 0) throw new Error('no span has reached the Collector: nothing was measured');
  return { spans_exported: exported };
}

function report([off, on], exported) {
  const rows = [off, on].map((each) => {
    const of = (field) => median(each.rounds.map((round) => round[field]));
    const against = (field) =>
      rounded(median(each.rounds.map((round, n) => round[field] / off.rounds[n][field])));
    return {
      name: each.name,
      cpu_us_per_request: rounded(of('cpuMicros')),
      cpu_vs_off: against('cpuMicros'),
      gateway_us_per_request: rounded(of('gatewayMicros')),
      gateway_vs_off: against('gatewayMicros'),
      p50_ms: rounded(of('p50')),
      p99_ms: rounded(of('p99')),
    };
  });
  console.log(
    `\ntelemetry: ${ROUNDS} interleaved rounds of ${SECONDS} s, ${CONNECTIONS} connections, medians; ${exported.spans_exported} spans exported`,
  );
  console.table(Object.fromEntries(rows.map(({ name, ...row }) => [name, row])));
  const ratio = rows[1].cpu_vs_off;
  const budget = { cpu_vs_off_at_most: AT_MOST, measured: ratio, within: ratio <= AT_MOST };
  console.log(`budget: ${ratio} of at most ${AT_MOST} times the CPU a request without telemetry`);
  record(
    'telemetry',
    { rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, sampled: 0.01 },
    {
      rows,
      budget,
      ...exported,
      rounds: [off, on].map(({ name, rounds }) => ({ name, rounds })),
    },
  );
}
