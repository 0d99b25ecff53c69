import {
  describeWithEngines,
  describeWithPrograms,
  ENGINES_START_MS,
  eventually,
} from '@gatehouse/testing';
import { type Login, startPlatform, type TestPlatform } from '@gatehouse/testing-platform';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { panelQueries } from './support/dashboards.ts';
import { findsThroughConsul, PrometheusServer } from './support/prometheus-server.ts';
import { metricsOf } from './support/promql.ts';
import { readRules } from './support/rules.ts';

const SERVICES = ['audit', 'auth', 'authz', 'gateway', 'identity'];
/** Of the dashboard that shows any one service. Auth does all that a service can: it answers, asks, publishes, handles. */
const ONE = 'auth';
const MINUTES = 60_000;

// With Redis, so that what is told of it is there; with Consul, where admin addresses are found.
describeWithEngines(['consul', 'redis'], () => {
  describeWithPrograms(['prometheus', 'promtool'], () => {
    let platform: TestPlatform;
    let prometheus: PrometheusServer;
    let administrator: Login;

    const adminOf = (service: string) => new URL(platform.adminUrlOf(service)).host;

    beforeAll(async () => {
      platform = await startPlatform({ engines: ['consul', 'redis'] });
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
      expect([...new Set(missing)]).toEqual([]);
    });

    it('offers every service to the dashboards by itself', async () => {
      const offered = await prometheus.query('count by (job) (gatehouse_build_info)');
      expect(offered.map(({ metric }) => metric.job).sort()).toEqual(SERVICES);
    });

    it('sees no alert of a platform that is well', async () => {
      const firing = await prometheus.query('ALERTS{alertstate="firing"}');
      expect(firing.map(({ metric }) => metric.alertname)).toEqual([]);
    });
  });
});
