import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  describeWithEngines,
  describeWithPrograms,
  engineSet,
  type EngineSet,
  ENGINES_START_MS,
  eventually,
} from '@gatehouse/testing';
import {
  type Login,
  type RegisteredUser,
  startPlatform,
  type TestPlatform,
} from '@gatehouse/testing-platform';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { panelQueries } from './support/dashboards.ts';
import { findsThroughConsul, PrometheusServer } from './support/prometheus-server.ts';
import { metricsOf } from './support/promql.ts';
import { readRules } from './support/rules.ts';
import { notPrinted, type Step, stepsOf, take, whoHoldsTheLock } from './support/walk.ts';
import { WORKSPACE } from './support/workspace.ts';

const SERVICES = ['audit', 'auth', 'authz', 'gateway', 'identity'];
/** Of the dashboard that shows any one service. Auth does all that a service can: it answers, asks, publishes, handles. */
const ONE = 'auth';
const MINUTES = 60_000;

// With Redis, so that what is told of it is there; with Consul, where admin addresses are found; with a Collector that
// keeps every trace, and OpenSearch behind it, where one request is followed.
describeWithEngines(['consul', 'redis', 'otelcol', 'opensearch'], () => {
  describeWithPrograms(['prometheus', 'promtool', 'jq', 'curl'], () => {
    let engines: EngineSet;
    let platform: TestPlatform;
    let prometheus: PrometheusServer;
    let administrator: Login;

    const adminOf = (service: string) => new URL(platform.adminUrlOf(service)).host;

    beforeAll(async () => {
      engines = await engineSet(['consul', 'redis', 'otelcol', 'opensearch'], {
        settings: {
          // The Collector's exporter asks for that.
          OPENSEARCH_ELASTIC_PRODUCT_HEADER: '1',
          OTELCOL_CONFIG: join(WORKSPACE, 'docker/otelcol/config.yaml'),
          OTELCOL_HOST: '127.0.0.1',
          OTELCOL_TRACES_EXPORTERS: '[elasticsearch]',
          OTELCOL_LOGS_EXPORTERS: '[elasticsearch]',
          OTELCOL_KEEP_PERCENT: '100',
          OTELCOL_DECISION_WAIT: '1s',
        },
        settingsOf: ({ opensearch }) => ({ OTELCOL_LOGS_URL: `http://127.0.0.1:${opensearch}` }),
      });
      platform = await startPlatform({ engines });
      const byHand = Object.fromEntries(SERVICES.map((name) => [name, [adminOf(name)]]));
      prometheus = await PrometheusServer.start(
        findsThroughConsul()
          ? { consul: `127.0.0.1:${platform.engines.ports.consul}` }
          : { targets: byHand },
      );
      administrator = await platform.loginAsAdministrator();
    }, ENGINES_START_MS);
    afterAll(async () => {
      await prometheus.stop();
      await platform.stop();
      await engines.end();
    });

    /** A little of all that the platform does: let in, refused, written, published, handled, recorded, read. */
    async function traffic(): Promise<void> {
      const user = await platform.registerAndLogin();
      const statuses = [
        await user.client.get('/v1/users/me'),
        await user.client.get('/v1/users'),
        await platform.client().get('/v1/users'),
        await platform.client().get('/nobody-serves-this'),
        await platform.client().post('/v1/auth/login', { email: user.email, password: 'wrong' }),
        await administrator.client.get(`/v1/users/${user.userId}`),
        await administrator.client.get('/v1/audit/entries'),
        await administrator.client.get('/v1/roles'),
        await user.client.post('/v1/auth/logout'),
        await administrator.client.delete(`/v1/users/${user.userId}`),
      ].map(({ status }) => status);
      expect(statuses).toEqual([200, 403, 401, 404, 401, 200, 200, 200, 204, 204]);
    }

    it(
      'finds every process of the platform at the address that Consul has for it',
      async () => {
        const { CONSUL_HTTP_ADDR = '' } = platform.engineAddresses;
        for (const service of SERVICES) {
          const found = await fetch(`${CONSUL_HTTP_ADDR}/v1/health/service/${service}`);
          const entries = (await found.json()) as { Service: { Meta: Record<string, string> } }[];
          const addresses = entries.map(({ Service }) => Service.Meta['gatehouse-admin']);
          expect(addresses).toEqual([adminOf(service)]);
        }
        await eventually(
          async () => {
            const targets = await prometheus.targets();
            const scraped = targets.filter(({ labels }) => labels.platform === 'gatehouse');
            expect(scraped.map(({ labels }) => labels.job).sort()).toEqual(SERVICES);
            for (const { health, labels, scrapeUrl } of scraped) {
              expect(health).toBe('up');
              expect(new URL(scrapeUrl).host).toBe(adminOf(labels.job ?? ''));
            }
          },
          { timeoutMs: MINUTES },
        );
      },
      2 * MINUTES,
    );

    it(
      'has an answer to every query of every panel',
      async () => {
        await eventually(
          async () => {
            await traffic();
            const answers = await Promise.all(
              panelQueries(ONE, '1m').map(async ({ name, expr }) => ({
                query: `${name}: ${expr}`,
                series: (await prometheus.query(expr)).length,
              })),
            );
            const empty = answers.filter(({ series }) => series === 0);
            expect(empty.map(({ query }) => query)).toEqual([]);
          },
          { timeoutMs: 2 * MINUTES, intervalMs: 1_000 },
        );
      },
      4 * MINUTES,
    );

    it('knows every metric that a rule reads', async () => {
      const known = await prometheus.metrics();
      const { alerts, recordings } = readRules();
      const bare = (name: string) => name.replace(/_(bucket|count|sum)$/, '');
      const missing = [...alerts, ...recordings]
        .flatMap(({ expr }) => metricsOf(expr))
        .filter((name) => !known.has(name) && !known.has(bare(name)));
      // Of services without a database, of which this platform has none.
      const elsewhere = ['event_bus_buffer_dropped_total'];
      expect([...new Set(missing)]).toEqual(elsewhere);
    });

    it('offers every service to the dashboards by itself', async () => {
      const offered = await prometheus.query('count by (job) (gatehouse_build_info)');
      expect(offered.map(({ metric }) => metric.job).sort()).toEqual(SERVICES);
    });

    it('sees no alert of a platform that is well', async () => {
      const firing = await prometheus.query('ALERTS{alertstate="firing"}');
      expect(firing.map(({ metric }) => metric.alertname)).toEqual([]);
    });

    describe('one request is followed from its answer, by the commands of docs/operations.md', () => {
      let user: RegisteredUser;
      let env: Record<string, string>;
      beforeAll(async () => {
        user = await platform.registerAndLogin();
        env = {
          GATEWAY: platform.gatewayUrl,
          PROMETHEUS: prometheus.url,
          OPENSEARCH: engines.env.OPENSEARCH_URL ?? '',
          OPERATOR: administrator.accessToken,
          TOKEN: user.accessToken,
          USER_ID: user.userId,
          LOGS: mkdtempSync(join(tmpdir(), 'gatehouse-lines-')),
        };
      });
      afterAll(() => rmSync(env.LOGS ?? '', { recursive: true }));

      /** The first step asks the gateway; the others follow its answer, as soon as it has arrived everywhere. */
      async function follow([first, ...others]: Step[], made: Promise<string[]>): Promise<void> {
        expect(others.length).toBeGreaterThan(3);
        const answer = await made;
        expect(first && notPrinted(first, answer)).toEqual([]);
        const trace = /^traceparent: 00-([0-9a-f]{32})-[0-9a-f]{16}-01$/m.exec(answer.join('\n'));
        for (const step of others) {
          await eventually(
            async () => {
              for (const service of SERVICES) {
                writeFileSync(join(env.LOGS ?? '', `${service}.log`), platform.logsOf(service));
              }
              const printed = await take(step, { ...env, TRACE: trace?.[1] ?? 'none' });
              const missing = notPrinted(step, printed);
              if (missing.length > 0) {
                throw new Error(`${step.commands}printed\n${printed.join('\n')}`);
              }
            },
            { timeoutMs: MINUTES, intervalMs: 500 },
          );
        }
      }

      it(
        'one that was slow: to the statement that waited, and who made it wait',
        async () => {
          const steps = stepsOf('One that was slow');
          const query = platform.database('identity');
          // Holds the row until somebody waits for it, and then as long as makes a request slow.
          const held = query(`DO $$ BEGIN
            PERFORM FROM users WHERE id = '${user.userId}' FOR UPDATE;
            WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))) LOOP
              PERFORM pg_sleep(0.05);
              PERFORM pg_stat_clear_snapshot();
            END LOOP;
            PERFORM pg_sleep(2);
          END $$`);
          await eventually(async () => {
            const free = await query(
              `SELECT FROM users WHERE id = '${user.userId}' FOR UPDATE SKIP LOCKED`,
            );
            return free.length === 0;
          });
          const [first] = steps;
          if (first === undefined) throw new Error('docs/operations.md makes no slow request');
          const made = take(first, env);
          const [holder] = await eventually(async () => {
            const rows = await query<{ state: string; query: string }>(whoHoldsTheLock);
            return rows.length > 0 && rows;
          });
          expect(holder).toMatchObject({
            state: 'active',
            query: expect.stringContaining('DO $$ BEGIN') as unknown,
          });
          await follow(steps, made);
          await held;
        },
        4 * MINUTES,
      );

      it(
        'one that was refused: to the permission that is missing',
        async () => {
          const steps = stepsOf('One that was refused');
          const [first] = steps;
          if (first === undefined) throw new Error('docs/operations.md makes no refused request');
          await follow(steps, take(first, env));
        },
        4 * MINUTES,
      );
    });
  });
});
