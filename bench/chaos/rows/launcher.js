import process from 'node:process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@gatehouse/testing';
import { Launcher } from '../lib/launcher.js';

const SOON = { timeoutMs: 60_000, intervalMs: 250 };

export const launcher = [
  {
    name: 'launcher-killed',
    title: 'kill -9 of the launcher (orphaned PostgreSQL), then of both (stale pid file)',
    criterion: 'a restart recovers: nothing lost, nothing left over',
    profiles: ['embedded'],
    async run(stage) {
      const platform = new Launcher();
      stage.onClose(() => platform.remove());
      const created = [];
      await platform.start();
      const create = (count) => createUsers(stage, platform, created, count);
      await create(20);

      const before = platform.pids();
      const writing = create(200);
      await sleep(500);
      await platform.kill();
      await writing;
      stage.expect('PostgreSQL is an orphan', platform.postgresRuns);
      await eventually(() => !before.services.some(runs), SOON);
      stage.expect('services end by themselves when their launcher is gone', true);
      await platform.start();
      stage.expect('the orphan was replaced', !runs(before.postgres), `${before.postgres} runs`);
      await create(20);

      const again = create(200);
      await sleep(500);
      const { postgres } = platform.pids();
      await platform.kill();
      process.kill(postgres, 'SIGKILL');
      await again;
      await eventually(() => !runs(postgres), SOON);
      stage.expect('a stale pid file is there', existsSync(platform.pidFile));
      await platform.start();
      await create(20);

      process.kill(platform.pids().postgres, 'SIGKILL');
      const from = performance.now();
      await eventually(async () => (await createUsers(stage, platform, created, 1)) === 1, SOON);
      stage.recoverMs = performance.now() - from;
      stage.expect(
        'the launcher brings a killed PostgreSQL back',
        stage.recoverMs < 30_000,
        `${stage.recoverMs} ms`,
      );

      const lost = await missing(platform, created);
      stage.found = { lost, doubled: [], repeats: 0 };
      stage.expect(
        'nothing acknowledged is lost',
        lost.length === 0,
        `${lost.length} of ${created.length}`,
      );
      const last = platform.pids();
      await platform.stop();
      stage.expect('a stop leaves nothing', ![last.postgres, ...last.services].some(runs));
      stage.figures = { sent: stage.sent };
    },
  },
];

/** One after the other, until the platform is gone. @returns how many were acknowledged */
async function createUsers(stage, platform, created, count) {
  let acknowledged = 0;
  try {
    const client = await platform.administrator();
    for (let n = 0; n < count; n++) {
      stage.sent = (stage.sent ?? 0) + 1;
      const email = `launcher-${created.length}-${Math.random().toString(36).slice(2)}@example.com`;
      const { status, body } = await client.post('/v1/users', { email, display_name: 'Chaos' });
      if (status !== 201) continue;
      created.push(body.id);
      stage.ledger.created(body.id, email);
      acknowledged++;
    }
  } catch {
    // The platform was killed: what was not acknowledged is not counted.
  }
  return acknowledged;
}

async function missing(platform, ids) {
  const client = await platform.administrator();
  const lost = [];
  for (const id of ids) {
    if ((await client.get(`/v1/users/${id}`)).status !== 200) lost.push(id);
  }
  return lost;
}

function runs(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
