import { Logger } from '@nestjs/common';
import { execFileSync } from 'node:child_process';
import { loadavg } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { median, quantile } from '../lib/load.js';
import { start, stop } from '../lib/processes.js';
import { ask } from '../lib/ask.js';
import { record, rounded } from '../lib/result.js';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 9);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const RECORDS = Number(process.env.BENCH_RECORDS ?? 10_000);
/** Events a second: one at a time, and a load whose transactions two cores carry. */
const PACES = { idle: 10, loaded: 100 };
const KEYS = 200;
const PARTITIONS = 8;
const BARE_TOPIC = 'bare.order';
const AT_LEAST = 0.5;
const IDLE_UNDER_MS = 50;
const P99_AT_MOST = 2;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** A relay's batch, and what the producer under it puts into one request when all lanes of the relay have a batch. */
const BARE_BATCHES = [500, 2_000];

/**
 * The bus on Kafka against kafkajs alone, each in processes of their own, round after round in one run.
 *
 * Throughput: an outbox full of events, from the commit that wrote them to the deletion of the last, against an idempotent
 * producer that sends as many records of the same form from memory. Latency: from the commit of an event to its handler,
 * which is in a transaction and in the inbox by then, against from `send` to `eachMessage`. PostgreSQL syncs each commit.
 */
export async function run() {
  const loadBefore = loadavg()[0];
  execFileSync('npx', ['nx', 'run-many', '-t', 'build', '-p', 'event-bus,persistence,testing'], {
    stdio: 'inherit',
  });
  const { enginesBin, engineSet } = await import('@gatehouse/testing');
  if (enginesBin() === undefined) {
    console.log('bus: left out, for ENGINES_BIN names no program that starts Kafka and PostgreSQL');
    return;
  }
  const engines = await engineSet(['kafka', 'postgres']);
  const workers = {};
  try {
    const { env, database } = await prepare(engines.env);
    try {
      for (const [name, role] of ROLES) workers[name] = await start(here('worker.js'), [role], env);
      const latency = await measureLatency(workers);
      // Nobody is to read what the throughput is measured with.
      for (const name of ['handler', 'bareConsumer']) await stopOne(workers, name);
      const throughput = await measureThroughput(workers);
      report(throughput, latency, loadBefore);
    } finally {
      await Promise.all(Object.values(workers).map(stop));
      await database.drop();
    }
  } finally {
    await engines.end();
  }
}

async function stopOne(workers, name) {
  await stop(workers[name]);
  delete workers[name];
}

/** In the order in which they start: of two instances of a service the first one relays. */
const ROLES = [
  ['relay', 'alpha'],
  ['writer', 'alpha'],
  ['handler', 'beta'],
  ['bareProducer', 'bare producer'],
  ['bareConsumer', 'bare consumer'],
];

async function prepare({ DATABASE_URL, KAFKA_BROKERS }) {
  process.env.TEST_DATABASE_URL = DATABASE_URL;
  Logger.overrideLogger(['error', 'warn']);
  const { eventBusMigrations } =
    await import('../../libs/event-bus/dist/migrations/event-bus.migrations.js');
  const { effectsMigration } = await import('../../libs/event-bus/dist/testing/bus/orders.js');
  const { eventBusPlatformSql } = await import('@gatehouse/event-bus');
  const { provisionedDatabase } = await import('@gatehouse/persistence/testing');
  const database = await provisionedDatabase({
    services: { alpha: eventBusMigrations, beta: [...eventBusMigrations, effectsMigration] },
    platformSql: eventBusPlatformSql,
  });
  const { default: kafkajs } = await import('./kafkajs.js');
  const { quietRequestQueue } =
    await import('../../libs/event-bus/dist/broker/kafka/request-queue.js');
  quietRequestQueue();
  const admin = new kafkajs.Kafka({ brokers: [KAFKA_BROKERS], logLevel: 0 }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: BARE_TOPIC, numPartitions: PARTITIONS }] });
  await admin.disconnect();
  const env = {
    KAFKA_BROKERS,
    BARE_TOPIC,
    ALPHA_CREDENTIALS: database.credentialsDir('alpha'),
    BETA_CREDENTIALS: database.credentialsDir('beta'),
    EVENT_PARTITIONS: String(PARTITIONS),
  };
  return { env, database };
}

async function measureThroughput({ relay, writer, bareProducer }) {
  const targets = [
    {
      name: 'outbox relay',
      send: async (round) => {
        const [{ endedAt, cpuMicros }, { committedAt }] = await Promise.all([
          ask(relay, { job: 'relay', count: RECORDS }),
          ask(writer, { job: 'fill', count: RECORDS, keys: KEYS, round }),
        ]);
        return { seconds: (endedAt - committedAt) / 1e3, cpuMicros };
      },
    },
    ...BARE_BATCHES.map((batch) => ({
      name: `bare producer, ${batch} a request`,
      send: () => ask(bareProducer, { job: 'send', count: RECORDS, keys: KEYS, batch }),
    })),
  ];
  for (const target of targets) {
    target.rounds = [];
    await target.send('warm-0');
    await target.send('warm-1');
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < targets.length; turn++) {
      const target = targets[(round + turn) % targets.length];
      const { seconds, cpuMicros } = await target.send(round);
      target.rounds.push({
        cpu_us_per_record: cpuMicros / RECORDS,
        records_per_second: RECORDS / seconds,
      });
    }
  }
  const best = (n) =>
    Math.max(...targets.slice(1).map(({ rounds }) => rounds[n].records_per_second));
  const rows = targets.map(({ name, rounds }) => ({
    name,
    cpu_us_per_record: rounded(median(rounds.map((r) => r.cpu_us_per_record))),
    records_per_second: Math.round(median(rounds.map((r) => r.records_per_second))),
    throughput_vs_best_bare: rounded(median(rounds.map((r, n) => r.records_per_second / best(n)))),
  }));
  return { rows, rounds: targets.map(({ name, rounds }) => ({ name, rounds })) };
}

async function measureLatency({ relay, handler, bareProducer, bareConsumer }) {
  const targets = [
    { name: 'commit to handler', from: relay, to: handler },
    { name: 'bare produce to consume', from: bareProducer, to: bareConsumer },
  ];
  const rows = [];
  const first = { next: 0 };
  for (const [load, rate] of Object.entries(PACES)) {
    for (const target of targets) {
      await timesOf(target, first, rate, 2); // warm
      target.rounds = [];
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (let turn = 0; turn < targets.length; turn++) {
        const target = targets[(round + turn) % targets.length];
        target.rounds.push(await timesOf(target, first, rate, SECONDS));
      }
    }
    for (const { name, rounds } of targets) {
      const of = (q) => median(rounds.map(({ times }) => quantile(times, q)));
      const all = Float64Array.from(rounds.flatMap(({ times }) => [...times])).sort();
      rows.push({
        name,
        load,
        per_second: rate,
        p50_ms: rounded(of(0.5)),
        p99_ms: rounded(of(0.99)),
        p99_of_all_ms: rounded(quantile(all, 0.99)),
        cpu_us_per_event: rounded(median(rounds.map(({ cpuMicrosEach }) => cpuMicrosEach))),
      });
    }
  }
  return rows;
}

/** Milliseconds from each event's start to its handler, sorted, and the CPU of both processes an event. */
async function timesOf({ from, to }, numbers, rate, seconds) {
  const count = Math.round(rate * seconds);
  const first = numbers.next;
  numbers.next += count;
  const [got, sent] = await Promise.all([
    ask(to, { job: 'collect', first, count }),
    ask(from, { job: 'pace', first, count, rate, keys: KEYS }),
  ]);
  const times = Float64Array.from(got.times.map((at, n) => at - sent.times[n])).sort();
  return { times, cpuMicrosEach: (sent.cpuMicros + got.cpuMicros) / count };
}

function report(throughput, latency, loadBefore) {
  console.log(`\nbus: ${ROUNDS} interleaved rounds, medians; ${RECORDS} records a round`);
  console.table(Object.fromEntries(throughput.rows.map(({ name, ...row }) => [name, row])));
  console.log(`latency: ${ROUNDS} interleaved rounds of ${SECONDS} s`);
  console.table(
    Object.fromEntries(latency.map(({ name, load, ...row }) => [`${load}: ${name}`, row])),
  );
  const p99 = (load, at) => latency.filter((row) => row.load === load)[at].p99_ms;
  const budgets = [
    ['throughput against the bare producer', throughput.rows[0].throughput_vs_best_bare, AT_LEAST],
    ['idle latency, p99 in ms', p99('idle', 0), IDLE_UNDER_MS],
    ['loaded p99 against bare', rounded(p99('loaded', 0) / p99('loaded', 1)), P99_AT_MOST],
  ].map(([what, measured, limit], n) => ({
    what,
    measured,
    limit,
    within: n === 0 ? measured >= limit : measured <= limit,
  }));
  for (const { what, measured, limit, within } of budgets) {
    console.log(`budget: ${what}: ${measured}, ${limit} allowed: ${within ? 'yes' : 'NO'}`);
  }
  record(
    'bus',
    { rounds: ROUNDS, seconds: SECONDS, records: RECORDS, paces: PACES },
    { load_average_before: loadBefore, throughput, latency, budgets },
  );
}
