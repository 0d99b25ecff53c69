import { setTimeout as sleep } from 'node:timers/promises';
import { engineSet } from '@gatehouse/testing';
import { isNotGood, tally } from '../lib/load.js';
import { withDetail } from '../lib/stage.js';

const RECOVER_WITHIN_MS = 10_000;
const HONOURED_WITHIN_MS = 1_000;
const STALL_MS = 15_000;

/** Of each: nobody notices while it is away, but for what is said here. */
const ENGINES = {
  kafka: 'outbox grows and drains',
  consul: 'last-known routes keep serving',
  redis: 'slower but right without it',
};

export const engines = [
  ...Object.entries(ENGINES).map(([engine, what]) => ({
    name: `${engine}-killed`,
    title: `kill -9 of ${engine}, back after 30 s`,
    criterion: `nothing lost; ${what}; revocation honoured within a second`,
    profiles: ['scale'],
    engines: [engine],
    short: engine === 'kafka',
    async run(stage) {
      const { platform } = await stage.open();
      await stage.underLoad(async () => {
        const from = performance.now();
        await platform.engines.kill(engine);
        await sleep(2_000);
        await expectRevocationAtOnce(stage);
        if (engine === 'redis') await expectRightWithoutRedis(stage);
        await sleep(stage.seconds(8, 30) * 1_000 - (performance.now() - from));
        const bad = stage.samplesFrom(from).filter(isNotGood);
        stage.expect(
          `requests are served without ${engine}`,
          bad.length === 0,
          `${tally(bad)}; ${withDetail(bad)}`,
        );
        const waiting = await depthOf(platform);
        if (engine === 'kafka') stage.expect('the outbox grows', waiting > 0, 'nothing waits');
        stage.note(`${waiting} events waited in the outboxes`);
        await platform.engines.start(engine);
        stage.faultEnds();
        await stage.untilSteady(RECOVER_WITHIN_MS);
        await expectRevocationAtOnce(stage);
      });
    },
  })),
  {
    name: 'broker-lost',
    title: 'kill -9 of one of three brokers',
    criterion: 'nothing lost, no event later than 15 s',
    profiles: ['scale'],
    engines: ['kafka'],
    async run(stage) {
      const set = await engineSet(stage.ground.engines, { kafkaNodes: 3 });
      stage.onClose(() => set.end());
      await stage.open({ engines: set });
      await stage.underLoad(async () => {
        const from = performance.now();
        await set.kill('kafka-2');
        await sleep(stage.seconds(15, 30) * 1_000);
        const bad = stage.samplesFrom(from).filter(isNotGood);
        stage.expect('requests are served', bad.length === 0, `${tally(bad)}; ${withDetail(bad)}`);
        await set.start('kafka');
        stage.faultEnds();
        await stage.untilSteady(RECOVER_WITHIN_MS);
      });
      await stage.settle();
      const slowest = await stage.slowestEffectMs();
      stage.expect('no event took effect later than 15 s', slowest < STALL_MS, `${slowest} ms`);
      stage.note(`the slowest event took effect after ${slowest} ms`);
    },
  },
];

/** A session ended is refused at the edge within a second. */
async function expectRevocationAtOnce(stage) {
  const user = await stage.platform.registerAndLogin();
  const { status } = await user.client.delete(`/v1/auth/sessions/${user.sessionId}`);
  const from = performance.now();
  let took = Infinity;
  while (performance.now() - from < 5_000) {
    if ((await user.client.get('/v1/users/me')).status === 401) {
      took = performance.now() - from;
      break;
    }
    await sleep(20);
  }
  stage.expect(
    'a revocation is honoured within a second',
    status === 204 && took <= HONOURED_WITHIN_MS,
    `${Math.round(took)} ms after ${status}`,
  );
}

/** Whoever writes reads what was written, and limits hold: each gateway counts by itself. */
async function expectRightWithoutRedis(stage) {
  const user = await stage.platform.registerAndLogin();
  const path = `/v1/users/${user.userId}`;
  const stale = [];
  for (let n = 0; n < 5; n++) {
    const { headers } = await user.client.get(path);
    const name = `Name ${n}`;
    const match = { 'if-match': headers.get('etag') ?? '' };
    await user.client.patch(path, { display_name: name }, match);
    const { body } = await user.client.get(path);
    if (body.display_name !== name) stale.push(`${body.display_name} for ${name}`);
  }
  stage.expect('whoever writes reads what was written', stale.length === 0, stale.join(', '));
  const client = stage.platform.client();
  const answers = [];
  // Ten logins a minute from one address: what is asked for is refused anyway.
  for (let n = 0; n < 14; n++) answers.push((await client.post('/v1/auth/login', {})).status);
  const passed = answers.filter((status) => status !== 429).length;
  stage.expect('limits hold', passed >= 10 && passed <= 12, answers.join(' '));
}

async function depthOf(platform) {
  const depths = await Promise.all(
    ['auth', 'identity', 'authz'].map(async (schema) => {
      const sql = `SELECT count(*)::int AS n FROM outbox WHERE channel = 'events'`;
      return (await platform.database(schema)(sql))[0].n;
    }),
  );
  return depths.reduce((sum, n) => sum + n, 0);
}
