import { setTimeout as sleep } from 'node:timers/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@gatehouse/testing';
import { tally } from '../lib/load.js';
import { outboxPartitionOf } from '../lib/outbox.js';
import { noSmallDisk, SmallDisk } from '../lib/small-disk.js';

const RECOVER_WITHIN_MS = 10_000;

/** PostgreSQL goes away, cuts, is full, is slow. */
export const database = [
  {
    name: 'postgres-killed',
    title: 'kill -9 of PostgreSQL, started again on its data and its stale pid file',
    criterion: 'nothing lost; no service needs a restart; all well within 10 s of its return',
    short: true,
    async run(stage) {
      const { platform } = await stage.open();
      const { postgres } = stage.ground;
      const pids = ['gateway', 'auth', 'identity', 'authz', 'audit'].map(
        (name) => platform.instance(name).pid,
      );
      await stage.underLoad(async () => {
        await postgres.kill();
        await sleep(stage.seconds(2, 10) * 1_000);
        stage.expect(
          'the pid file of the killed server was there at its start',
          existsSync(join(postgres.folder, 'data', 'postmaster.pid')),
        );
        await postgres.start();
        stage.faultEnds();
        await stage.untilSteady(RECOVER_WITHIN_MS);
      });
      const now = ['gateway', 'auth', 'identity', 'authz', 'audit'].map((name) =>
        platform.instance(name),
      );
      stage.expect(
        'every service lives on as the process it was',
        now.every((instance, n) => instance.running && instance.pid === pids[n]),
      );
    },
  },
  {
    name: 'connections-terminated',
    title: 'pg_terminate_backend of every connection of the services, every 2 s',
    criterion: 'no burst of 500s over 1 s; the pool heals',
    async run(stage) {
      const { platform } = await stage.open();
      const query = platform.database('public');
      await stage.underLoad(async () => {
        const from = performance.now();
        const rounds = stage.seconds(4, 10);
        for (let round = 0; round < rounds; round++) {
          await query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND usename LIKE '%\\_app'`,
          );
          await sleep(2_000);
        }
        stage.faultEnds();
        await stage.untilSteady(2_000);
        const samples = stage.samplesFrom(from);
        const broken = samples.filter(({ verdict }) => verdict === 'bad' || verdict === 'none');
        const burstMs = longestBurst(samples);
        stage.expect(
          'no burst of failures over 1 s',
          burstMs <= 1_000,
          `${Math.round(burstMs)} ms: ${tally(broken)}`,
        );
        stage.note(`${broken.length} of ${samples.length} failed ${tally(broken)}`);
      });
    },
  },
  {
    name: 'pool-exhausted',
    title: 'every connection of a service waits for a lock',
    criterion: '503 with Retry-After; health answers',
    async run(stage) {
      const { platform } = await stage.open({
        envOf: { identity: { DATABASE_POOL_SIZE: '4', DATABASE_POOL_TIMEOUT_MS: '1000' } },
      });
      await stage.underLoad(async () => {
        const lock = await platform.session();
        await lock.query('BEGIN');
        await lock.query('LOCK TABLE identity.users IN ACCESS EXCLUSIVE MODE');
        const from = performance.now();
        const health = [];
        while (performance.now() - from < 8_000) {
          health.push(await answerOf(`${platform.adminUrlOf('identity')}/health/live`));
          health.push(await answerOf(`${platform.adminUrlOf('identity')}/health/ready`));
          await sleep(500);
        }
        await lock.query('ROLLBACK');
        await lock.end();
        stage.faultEnds();
        await stage.untilSteady(2_000);
        const samples = stage.samplesFrom(from);
        const told = samples.filter(({ status, verdict }) => status === 503 && verdict === 'busy');
        // Whoever got a connection waits for the lock, up to the call's own deadline.
        const broken = samples.filter(
          ({ verdict, status }) => (verdict === 'bad' && status !== 504) || verdict === 'none',
        );
        stage.expect('callers are told 503 with Retry-After', told.length > 0, tally(samples));
        stage.expect('and nothing else goes wrong', broken.length === 0, tally(broken));
        stage.expect(
          'health answers all the time',
          health.every(({ status, ms }) => status !== 0 && ms < 3_000),
          JSON.stringify(health),
        );
      });
    },
  },
  {
    name: 'disk-full',
    title: "the disk of Audit's log is full (a tmpfs of 24 MiB)",
    criterion: 'audit fails closed, no torn chain, recovers',
    unless: noSmallDisk,
    async run(stage) {
      const { platform } = await stage.open();
      const disk = await SmallDisk.mount(stage.ground.postgres);
      stage.onClose(() => disk.unmount());
      await disk.move(platform, 'audit.entries');
      const entries = platform.database('audit');
      await stage.underLoad(async () => {
        disk.fill();
        const from = performance.now();
        // What is there has some free places left; then nothing more is appended.
        await eventually(async () => (await waitsFor(platform, 2)) > 0, {
          timeoutMs: 60_000,
          intervalMs: 200,
        });
        const [before] = await entries('SELECT count(*)::int AS n FROM entries');
        await sleep(stage.seconds(5, 15) * 1_000);
        const [after] = await entries('SELECT count(*)::int AS n FROM entries');
        const waiting = await waitsFor(platform, 0);
        stage.expect(
          'nothing is recorded that does not fit',
          after.n - before.n < 20,
          `${after.n - before.n} entries`,
        );
        stage.expect('entries wait in the outbox of their service', waiting > 0, 'none wait');
        const during = stage.samplesFrom(from).filter(({ name }) => name !== 'audit');
        const bad = during.filter(({ verdict }) => verdict !== 'good');
        stage.expect('actions go on', bad.length === 0, tally(bad));
        stage.note(`${waiting} entries waited in the outbox of identity`);
        disk.empty();
        stage.faultEnds();
        await stage.untilSteady(RECOVER_WITHIN_MS);
      });
    },
  },
  {
    name: 'open-transaction',
    title: 'a transaction with an event stays open while others commit',
    criterion: 'every event delivered, in order per key; the others do not wait for it',
    async run(stage) {
      const { platform } = await stage.open();
      const user = await platform.registerAndLogin();
      const effects = platform.database('chaos');
      await stage.underLoad(async () => {
        const open = await platform.session();
        await open.query('BEGIN');
        const event = await outboxRow(open, user.userId);
        const from = performance.now();
        await sleep(stage.seconds(8, 30) * 1_000);
        const [{ n: waiting }] = await platform.database('identity')(
          `SELECT count(*)::int AS n FROM outbox WHERE created_at < now() - interval '3 s'`,
        );
        const others = await stage.wire.events();
        await open.query('COMMIT');
        await open.end();
        stage.expect('nobody else waited 3 s', waiting === 0, `${waiting} rows waited`);
        stage.expect('the open one was not sent', !others.some(({ id }) => id === event.id));
        await eventually(
          async () => {
            const [{ n }] = await effects(
              'SELECT count(*)::int AS n FROM effects WHERE subject = $1',
              [user.userId],
            );
            return n === 1;
          },
          { timeoutMs: 10_000 },
        );
        stage.faultEnds();
        stage.note(`it was open for ${Math.round((performance.now() - from) / 1_000)} s`);
        await stage.untilSteady(1_000);
      });
    },
  },
];

/**
 * What a command of Identity that deactivates the user does, up to its COMMIT: the row, the version row, the outbox row,
 * whose id is lower than those that are committed before it.
 */
async function outboxRow(client, userId) {
  const { rows } = await client.query(
    `UPDATE identity.aggregate_versions SET version = version + 1 WHERE topic = 'identity.user' AND key = $1
     RETURNING version::int`,
    [userId],
  );
  const { rows: users } = await client.query(
    `UPDATE identity.users SET status = 'deactivated', version = version + 1 WHERE id = $1 RETURNING version`,
    [userId],
  );
  const { rows: ids } = await client.query('SELECT gen_random_uuid() AS id');
  const event = {
    specversion: '1.0',
    id: ids[0].id,
    source: 'identity',
    type: 'identity.user.deactivated.v1',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    dataschema: 'urn:chaos',
    partitionkey: userId,
    data: { user_id: userId, version: users[0].version },
    sequence: rows[0].version,
  };
  await client.query(
    `INSERT INTO identity.outbox (channel, partition, topic, key, payload) VALUES ('events', $1, 'identity.user', $2, $3)`,
    [outboxPartitionOf(userId), userId, JSON.stringify(event)],
  );
  return event;
}

/** Audit entries that have waited in the outbox of Identity for so many seconds. */
async function waitsFor(platform, seconds) {
  const [{ n }] = await platform.database('identity')(
    `SELECT count(*)::int AS n FROM outbox
     WHERE channel <> 'events' AND created_at < clock_timestamp() - make_interval(secs => $1)`,
    [seconds],
  );
  return n;
}

/** From the first to the last of failures between which nothing succeeded, in milliseconds. */
function longestBurst(samples) {
  const ordered = [...samples].sort((a, b) => a.at + a.took - (b.at + b.took));
  let longest = 0;
  let since;
  for (const { at, took, verdict } of ordered) {
    if (verdict === 'good') since = undefined;
    else if (verdict !== 'busy') longest = Math.max(longest, at + took - (since ??= at + took));
  }
  return longest;
}

async function answerOf(url) {
  const from = performance.now();
  try {
    const { status } = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    return { status, ms: Math.round(performance.now() - from) };
  } catch {
    return { status: 0, ms: Math.round(performance.now() - from) };
  }
}
