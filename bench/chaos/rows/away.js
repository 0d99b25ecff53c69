import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@gatehouse/testing';
import { isNotGood, tally } from '../lib/load.js';

const RECOVER_WITHIN_MS = 10_000;
/** Stated bounds, shortened so that a row need not take ten minutes. */
const BOUND_SECONDS = 12;
/** The least that Auth takes. */
const KEY_BOUND_SECONDS = 60;

/** A core service is away while people work. */
export const away = [
  {
    name: 'authz-down',
    title: 'authz is away',
    criterion: '503, never an allow; cached grants serve within their stated bound',
    short: true,
    async run(stage) {
      const { platform, cast } = await stage.open({
        env: { GRANTS_MAX_STALENESS_SECONDS: String(BOUND_SECONDS) },
      });
      const stranger = await platform.registerAndLogin();
      const promoted = await platform.registerAndLogin();
      const bound = await cast.administrator.post('/v1/bindings', {
        subject_id: promoted.userId,
        role: 'platform-admin',
        scope: 'platform',
      });
      if (bound.status !== 201) throw new Error(`the binding was answered ${bound.status}`);
      await stage.underLoad(async () => {
        await platform.kill('authz');
        const from = performance.now();
        const known = [];
        const unknown = [];
        while (performance.now() - from < (BOUND_SECONDS - 4) * 1_000) {
          known.push((await cast.administrator.get('/v1/users?page_size=1')).status);
          for (const { client } of [stranger, promoted]) {
            unknown.push((await client.get('/v1/users?page_size=1')).status);
          }
          await sleep(250);
        }
        stage.expect('whose grants are known is served', only(known, [200]), distinct(known));
        stage.expect('whose are not is told 503', only(unknown, [503]), distinct(unknown));
        await sleep(8_000);
        const late = [];
        for (let n = 0; n < 8; n++) {
          late.push((await cast.administrator.get('/v1/users?page_size=1')).status);
          await sleep(250);
        }
        stage.expect('beyond the bound everybody is', only(late, [503]), distinct(late));
        await platform.restart('authz');
        stage.faultEnds();
        await stage.untilSteady(RECOVER_WITHIN_MS);
        stage.expect(
          'then each is decided as it is',
          (await promoted.client.get('/v1/users?page_size=1')).status === 200 &&
            (await stranger.client.get('/v1/users?page_size=1')).status === 403,
        );
      });
    },
  },
  {
    name: 'auth-down',
    title: 'auth is away',
    criterion:
      'requests with valid tokens still pass, within the stated bound for keys; logins get 503',
    async run(stage) {
      const bound = stage.seconds(BOUND_SECONDS, KEY_BOUND_SECONDS);
      const { platform, cast } = await stage.open({
        env: stage.short
          ? { REVOCATIONS_MAX_STALENESS_SECONDS: String(bound) }
          : { AUTH_KEY_SET_SECONDS: String(bound), KEY_SET_REFRESH_SECONDS: '1' },
      });
      const { email, password } = platform.administrator;
      await stage.underLoad(async () => {
        await platform.kill('auth');
        const from = performance.now();
        const known = [];
        const logins = [];
        while (performance.now() - from < (bound - 4) * 1_000) {
          known.push((await cast.administrator.get('/v1/users?page_size=1')).status);
          const login = { email, password };
          logins.push((await platform.client().post('/v1/auth/login', login)).status);
          await sleep(250);
        }
        stage.expect('valid tokens pass', only(known, [200]), distinct(known));
        stage.expect('logins get 503', only(logins, [503]), distinct(logins));
        await sleep(8_000);
        const late = (await cast.administrator.get('/v1/users?page_size=1')).status;
        stage.expect('beyond the bound tokens are told 503, not 401', late === 503, String(late));
        await platform.restart('auth');
        stage.faultEnds();
        await stage.untilSteady(RECOVER_WITHIN_MS);
      });
    },
  },
  {
    name: 'audit-down',
    title: 'audit is away',
    criterion: 'actions go on, entries wait in the outbox, nothing is lost',
    short: true,
    async run(stage) {
      const { platform } = await stage.open();
      await stage.underLoad(async () => {
        await platform.kill('audit');
        const from = performance.now();
        await sleep(stage.seconds(6, 30) * 1_000);
        const waiting = await Promise.all(
          ['identity', 'auth', 'authz'].map(async (schema) => {
            const sql = `SELECT count(*)::int AS n FROM outbox WHERE channel <> 'events'`;
            return (await platform.database(schema)(sql))[0].n;
          }),
        );
        const actions = stage.samplesFrom(from).filter(({ name }) => name !== 'audit');
        const bad = actions.filter(isNotGood);
        stage.expect('actions go on', bad.length === 0, tally(bad));
        const sum = waiting.reduce((total, n) => total + n, 0);
        stage.expect('entries wait in the outboxes', sum > 0, 'none waits');
        stage.note(`${sum} entries waited`);
        await platform.restart('audit');
        stage.faultEnds();
        await stage.untilSteady(RECOVER_WITHIN_MS);
        await eventually(
          async () => {
            const sql = `SELECT count(*)::int AS n FROM outbox WHERE channel <> 'events' AND created_at < now() - interval '5 s'`;
            return (await platform.database('identity')(sql))[0].n === 0;
          },
          { timeoutMs: 30_000, intervalMs: 200 },
        );
      });
    },
  },
];

const only = (statuses, allowed) =>
  statuses.length > 0 && statuses.every((each) => allowed.includes(each));
const distinct = (statuses) => `answered ${[...new Set(statuses)].join(', ')}`;
