// `npm run chaos -- --profile=embedded|scale [--engines kafka,consul,redis] [--only NAME[,NAME]] [--short] [--rate N] [--json FILE] [--logs FOLDER] [--record] [--list]`: see docs/reliability.md.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { enginesBin } from '@gatehouse/testing';
import { Ground } from './lib/ground.js';
import { isNotGood } from './lib/load.js';
import { record } from './lib/record.js';
import { summaryTable } from './lib/report.js';
import { Stage } from './lib/stage.js';
import { rows } from './rows/index.js';

/** A row that hangs fails, and the next one begins. */
const ROW_LIMIT_MS = 6 * 60_000;
const CLOSE_LIMIT_MS = 60_000;
const ENGINES = ['kafka', 'consul', 'redis'];
const SERVICES = ['gateway', 'auth', 'identity', 'authz', 'audit'];
const print = (line) => console.log(line);

const options = readOptions();
const chosen = choose(options);
if (options.list) {
  for (const { name, title, short } of chosen) print(`${name}${short ? ' (short)' : ''}: ${title}`);
  process.exit(0);
}

const began = performance.now();
let stage;
let ground;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await end();
    process.exit(130);
  });
}

const results = [];
try {
  for (const row of chosen) results.push(await runRow(row));
} finally {
  await end();
}
const took = Math.round((performance.now() - began) / 1_000);
print(`\n${summaryTable(results)}`);
const failed = results.filter(({ verdict }) => verdict === 'failed');
print(
  `\n${results.length - failed.length} of ${results.length} rows passed or were skipped by name, in ${took} s.`,
);
if (options.json) writeFileSync(options.json, `${JSON.stringify(report(), null, 2)}\n`);
if (options.record) record(report());
process.exit(failed.length > 0 ? 1 : 0);

async function runRow(row) {
  print(`\n== ${row.name}: ${row.title}\n   ${row.criterion}`);
  const skipped = await row.unless?.();
  if (skipped) {
    print(`   SKIPPED: ${skipped}`);
    return { name: row.name, verdict: 'skipped', why: skipped };
  }
  const from = performance.now();
  try {
    ground ??= await Ground.prepare(options.engines);
    stage = new Stage({ ...options, ground, print });
    await withLimit(row.run(stage));
    if (stage.platform && !stage.found) await withLimit(stage.settle());
  } catch (error) {
    stage?.expect('the row ran to its end', false, error.stack ?? String(error));
  } finally {
    keepLogs(row);
    await withLimit(stage?.close(), CLOSE_LIMIT_MS).catch((error) =>
      stage.expect('it ends cleanly', false, error.stack),
    );
  }
  const result = resultOf(row, stage, from);
  const { sent, acknowledged, lost, doubled, recover_s: recover, seconds } = result;
  const figures = `sent ${sent}, acknowledged ${acknowledged}, lost ${lost}, doubled ${doubled}, recovered in ${recover ?? '-'} s`;
  print(`   ${result.verdict.toUpperCase()} in ${seconds} s: ${figures}`);
  stage = undefined;
  return result;
}

function resultOf(row, { checks, notes, load, ledger, found, recoverMs, figures }, from) {
  return {
    name: row.name,
    verdict: checks.length > 0 && checks.every(({ ok }) => ok) ? 'passed' : 'failed',
    sent: figures?.sent ?? load?.samples.length ?? 0,
    acknowledged: ledger.count,
    lost: found?.lost.length ?? '?',
    doubled: found?.doubled.length ?? '?',
    repeats_on_the_wire: found?.repeats ?? '?',
    ...(recoverMs !== undefined && { recover_s: Number((recoverMs / 1_000).toFixed(1)) }),
    seconds: Math.round((performance.now() - from) / 1_000),
    checks,
    notes,
  };
}

/** What the services have written (warnings and worse), and every answer that was not good. */
function keepLogs({ name }) {
  if (!options.logs || !stage?.platform) return;
  mkdirSync(options.logs, { recursive: true });
  for (const service of SERVICES) {
    writeFileSync(join(options.logs, `${name}-${service}.log`), stage.platform.logsOf(service));
  }
  const bad = (stage.load?.samples ?? []).filter(isNotGood);
  const lines = bad.map((sample) => `${JSON.stringify(sample)}\n`);
  writeFileSync(join(options.logs, `${name}-answers.jsonl`), lines.join(''));
}

async function withLimit(work, limitMs = ROW_LIMIT_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not end in ${limitMs / 1_000} s`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Only what this run has started. */
async function end() {
  await withLimit(stage?.close(), CLOSE_LIMIT_MS).catch((error) => print(String(error)));
  await ground?.end();
}

function report() {
  const [cpu] = cpus();
  return {
    date: new Date().toISOString(),
    profile: options.profile,
    engines: options.engines,
    form: options.short ? 'short' : 'full',
    rate: options.rate,
    machine: {
      cores: cpus().length,
      cpu: cpu?.model,
      memory_gib: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    },
    seconds: took,
    rows: results,
  };
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      profile: { type: 'string', default: 'embedded' },
      engines: { type: 'string', default: ENGINES.join() },
      only: { type: 'string' },
      short: { type: 'boolean', default: false },
      rate: { type: 'string', default: '10' },
      json: { type: 'string' },
      logs: { type: 'string' },
      record: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  });
  if (!['embedded', 'scale'].includes(values.profile)) {
    refuse(`--profile is "${values.profile}": it must be embedded or scale`);
  }
  const rate = Number(values.rate);
  if (!(rate > 0 && rate <= 1_000))
    refuse(`--rate is "${values.rate}": it must be journeys a second`);
  const engines = values.profile === 'scale' ? values.engines.split(',') : [];
  const unknown = engines.filter((engine) => !ENGINES.includes(engine));
  if (unknown.length > 0) refuse(`--engines names ${unknown.join()}: there are ${ENGINES.join()}`);
  if (engines.length > 0 && enginesBin() === undefined) {
    refuse('The scale profile needs real engines: ENGINES_BIN names no program that starts them.');
  }
  return { ...values, rate, engines };
}

/** Of the profile; in the short form those marked for it; or those named. */
function choose({ profile, engines, only, short }) {
  const there = rows
    .filter((row) => (row.profiles ?? ['embedded', 'scale']).includes(profile))
    .filter((row) => (row.engines ?? []).every((engine) => engines.includes(engine)));
  if (only === undefined) return there.filter((row) => !short || row.short);
  return only.split(',').map((name) => {
    const row = there.find((each) => each.name === name);
    if (!row) {
      const names = there.map((each) => each.name).join(', ');
      refuse(`There is no row ${name} in profile ${profile}. There are: ${names}`);
    }
    return row;
  });
}

function refuse(why) {
  console.error(why);
  process.exit(64);
}
