import { eventually } from '@gatehouse/testing';
import {
  type Answer,
  type Login,
  type RegisteredUser,
  TestClient,
  type TestPlatform,
} from '@gatehouse/testing-platform';
import { auditEntries } from '../support/audit-log.ts';
import { Diagnostics } from '../support/diagnostics.ts';
import { eventsEventually } from '../support/event-log.ts';
import { linesOf } from '../support/log-lines.ts';
import { documentedMetrics, exposedMetrics } from '../support/metrics-catalogue.ts';
import { type Scrape, scrape } from '../support/metrics.ts';

const PATCH = { http_route: '/v1/users/{id}', http_request_method: 'PATCH' };

export function sideEffects(shared: () => TestPlatform): void {
  /** mission.md, "Side effects of one request, all of which a test can see". */
  describe('the side effects of one write through the gateway', () => {
    let platform: TestPlatform;
    let administrator: Login;
    let user: RegisteredUser;
    let before: Record<string, Scrape>;
    let sentBefore: number;
    let reads: Answer[];
    let write: Answer;
    let trace: string;
    beforeAll(async () => {
      platform = shared();
      administrator = await platform.loginAsAdministrator();
      user = await platform.registerAndLogin();
      // Both instances of identity hold the user in their caches.
      reads = [];
      for (const instance of [0, 1]) reads.push(await readAt(instance));
      before = await scrapes();
      sentBefore = await sent();
      write = await administrator.client.patch(
        `/v1/users/${user.userId}`,
        { display_name: 'Ada Lovelace' },
        { 'if-match': reads[0]?.headers.get('etag') ?? '' },
      );
      trace = write.headers.get('traceparent')?.split('-')[1] ?? '';
    });

    const readAt = (instance: number) =>
      new TestClient(platform.httpUrlOf('identity', instance), {
        token: administrator.accessToken,
      }).get(`/v1/users/${user.userId}`);
    const scrapes = async () => ({
      gateway: await scrape(platform.adminUrlOf('gateway')),
      'identity 0': await scrape(platform.adminUrlOf('identity', 0)),
      'identity 1': await scrape(platform.adminUrlOf('identity', 1)),
      audit: await scrape(platform.adminUrlOf('audit')),
    });
    const sent = async () => {
      const breakers = await new Diagnostics(platform.adminUrlOf('gateway')).breakers('identity');
      return breakers.reduce((sum, breaker) => sum + breaker.sent, 0);
    };
    /** By how much a metric of a process (or of all of that service) has grown since before the write. */
    const grown = async (name: string, metric: string, labels: Record<string, string> = {}) => {
      const after = await scrapes();
      return Object.entries(after)
        .filter(([process]) => process.startsWith(name))
        .reduce(
          (sum, [process, now]) =>
            sum + now.value(metric, labels) - (before[process]?.value(metric, labels) ?? NaN),
          0,
        );
    };

    it('is answered', () => {
      expect(write.status).toBe(200);
      expect(write.body).toMatchObject({ id: user.userId, display_name: 'Ada Lovelace' });
    });

    it('a rate-limit counter moves', async () => {
      const remaining = ({ headers }: Answer) =>
        Number(/"principal";r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]);
      const next = await administrator.client.get('/v1/users/me');
      expect(write.headers.get('ratelimit-policy')).toMatch(/"principal";q=\d+;w=\d+/);
      expect(remaining(next)).toBeLessThan(remaining(write) + 1);
      // GCRA gives back while time passes: a burst shows that each request takes one.
      const burst = await Promise.all(
        Array.from({ length: 20 }, () => administrator.client.get('/v1/users/me')),
      );
      expect(Math.min(...burst.map(remaining))).toBeLessThan(remaining(next));
    });

    it('a token is verified: the same write with one bit of it changed is refused', async () => {
      const [head, payload, signature = ''] = administrator.accessToken.split('.');
      const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
      const forged = administrator.client.as([head, payload, flipped].join('.'));
      const { status } = await forged.patch(`/v1/users/${user.userId}`, { display_name: 'No' });
      expect(status).toBe(401);
      const gateway = { ...PATCH, status_class: '4xx' };
      expect(await grown('gateway', 'gateway_request_duration_seconds_count', gateway)).toBe(1);
    });

    it('a permission is decided: the same write by another user is denied, counted and recorded', async () => {
      const other = await platform.registerAndLogin();
      const refused = await other.client.patch(`/v1/users/${user.userId}`, { display_name: 'No' });
      expect([refused.status, refused.body.code]).toEqual([403, 'PERMISSION_DENIED']);
      const [entry] = await auditEntries(administrator.client, {
        actor: other.userId,
        outcome: 'denied',
      });
      expect(entry).toMatchObject({
        action: 'identity.user.update',
        target: { type: 'user', id: user.userId },
        recorded_by: 'gateway',
        request_id: refused.headers.get('x-request-id'),
      });
    });

    it('an instance is picked: one of the two had it', async () => {
      const served = {
        http_request_method: 'PATCH',
        http_route: '/v1/users/:id',
        status_class: '2xx',
      };
      expect(await grown('identity', 'http_server_request_duration_seconds_count', served)).toBe(1);
      expect(await sent()).toBeGreaterThan(sentBefore);
      const [line] = linesOf(platform.logsOf('gateway'), trace);
      expect(line).toMatchObject({ upstream: 'identity', attempts: 1 });
      expect(line?.upstream_instance).toEqual(expect.any(String));
    });

    it('DTO, command, entity, row: the row holds what the answer says', async () => {
      const [row] = await platform.database('identity')<{
        display_name: string;
        version: string;
        updated_at: Date;
      }>('SELECT display_name, version, updated_at FROM users WHERE id = $1', [user.userId]);
      expect(row?.display_name).toBe('Ada Lovelace');
      expect(Number(row?.version)).toBe(write.body.version);
      expect(row?.updated_at.toISOString()).toBe(write.body.updated_at);
      expect(write.headers.get('etag')).toBe(`"${String(write.body.version)}"`);
    });

    it('the cache entry is written where the command ran, and dropped in the other instance', async () => {
      const written = { cache: 'users', kind: 'through' };
      expect(await grown('identity', 'cache_writes_total', written)).toBe(1);
      await eventually(async () => {
        const found = await Promise.all([readAt(0), readAt(1)]);
        expect(found.map(({ body }) => body.display_name)).toEqual([
          'Ada Lovelace',
          'Ada Lovelace',
        ]);
      });
      const evictions = await grown('identity', 'cache_evictions_total', { cache: 'users' });
      expect(evictions).toBeGreaterThanOrEqual(1);
    });

    it('an event is published', async () => {
      const type = 'identity.user.updated.v1';
      const [event] = await eventsEventually(platform, type, user.userId);
      expect(event).toMatchObject({
        specversion: '1.0',
        source: 'identity',
        userid: platform.administrator.userId,
        partitionkey: user.userId,
        sequence: write.body.version,
        datacontenttype: 'application/json',
        data: { user_id: user.userId, display_name: 'Ada Lovelace', changed: ['display_name'] },
      });
      expect(event?.traceparent?.split('-')[1]).toBe(trace);
      expect(await grown('identity', 'event_bus_published_total', { type })).toBe(1);
      const outbox = await eventually(async () => {
        const rows = await platform.database('identity')('SELECT FROM outbox');
        return rows.length === 0 && rows;
      });
      expect(outbox).toEqual([]);
    });

    it('and its subscribers act: every instance of identity has taken it', async () => {
      const handled = { consumer: 'evict-users' };
      await eventually(async () => {
        for (const instance of ['identity 0', 'identity 1']) {
          expect(await grown(instance, 'event_bus_consumed_total', handled)).toBeGreaterThanOrEqual(
            1,
          );
        }
      });
    });

    it('an audit entry with the actor is stored', async () => {
      const entries = await auditEntries(administrator.client, {
        action: 'identity.user.update',
        target: user.userId,
        outcome: 'success',
      });
      expect(entries).toHaveLength(1);
      expect(entries[0]).toMatchObject({
        actor: {
          type: 'user',
          id: platform.administrator.userId,
          session_id: administrator.sessionId,
        },
        target: { type: 'user', id: user.userId },
        recorded_by: 'identity',
        metadata: { members: ['display_name'] },
        trace_id: trace,
        request_id: write.headers.get('x-request-id'),
      });
    });

    it('every metric there is stands in docs/metrics.md, as it is, and nothing else does', async () => {
      const services = ['gateway', 'identity', 'auth', 'authz', 'audit'];
      const pages = await Promise.all(
        services.map(async (service) =>
          (await fetch(`${platform.adminUrlOf(service)}/metrics`)).text(),
        ),
      );
      const exposed = exposedMetrics(pages);
      const documented = await documentedMetrics();
      expect(documented.size).toBeGreaterThan(100);
      expect([...exposed.keys()].filter((name) => !documented.has(name))).toEqual([]);
      for (const [name, { conditional, type, labels }] of documented) {
        const found = exposed.get(name);
        if (found === undefined && conditional) continue;
        expect({ name, type: found?.type }).toEqual({ name, type });
        // Without a sample there are no labels to see.
        if (found !== undefined && found.labels.length > 0)
          expect({ name, labels: found.labels }).toEqual({ name, labels });
      }
    });

    it('metrics move, in each process on the way', async () => {
      const gateway = { ...PATCH, status_class: '2xx', upstream: 'identity' };
      expect(await grown('gateway', 'gateway_request_duration_seconds_count', gateway)).toBe(1);
      expect(await grown('identity', 'event_bus_outbox_relayed_total')).toBeGreaterThanOrEqual(2);
      const recorded = {
        rpc_method: 'gatehouse.audit.v1.AuditService/RecordBatch',
        rpc_response_status_code: 'OK',
      };
      expect(
        await grown('audit', 'rpc_server_call_duration_seconds_count', recorded),
      ).toBeGreaterThanOrEqual(1);
    });

    it('one trace spans it all, and one log line a process carries its id', () => {
      expect(trace).toMatch(/^[0-9a-f]{32}$/);
      const requestId = write.headers.get('x-request-id');
      const [gateway, ...more] = linesOf(platform.logsOf('gateway'), trace);
      expect(gateway).toMatchObject({ service: 'gateway', method: 'PATCH', request_id: requestId });
      expect(more).toEqual([]);
      const identity = linesOf(platform.logsOf('identity'), trace).filter(({ route }) => route);
      expect(identity).toHaveLength(1);
      expect(identity[0]).toMatchObject({
        service: 'identity',
        method: 'PATCH',
        route: '/v1/users/:id',
        status: 200,
        request_id: requestId,
        principal_id: platform.administrator.userId,
      });
    });

    it("a caller's own trace is continued, through an event, in the service that reacts", async () => {
      const own = '4bf92f3577b34da6a3ce929d0e0e4736';
      const answer = await administrator.client.post(
        `/v1/users/${user.userId}/deactivate`,
        undefined,
        { traceparent: `00-${own}-00f067aa0ba902b7-01` },
      );
      expect(answer.status).toBe(200);
      expect(answer.headers.get('traceparent')).toContain(own);
      const [ended] = await eventsEventually(platform, 'auth.session.revoked.v1', user.userId);
      expect(ended?.traceparent?.split('-')[1]).toBe(own);
      expect(linesOf(platform.logsOf('gateway'), own)).toHaveLength(1);
      expect(linesOf(platform.logsOf('identity'), own).length).toBeGreaterThanOrEqual(1);
      const [reaction] = await eventually(() => {
        const lines = linesOf(platform.logsOf('auth'), own);
        return lines.length > 0 && lines;
      });
      expect(reaction).toMatchObject({
        service: 'auth',
        event_type: 'identity.user.deactivated.v1',
        outcome: 'handled',
      });
    });
  });
}
