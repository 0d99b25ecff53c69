// The gateway's own pipeline with every stage on: match, two limits, verification, revocation, permission, body rules,
// retries, deadlines, trace, metrics and a sampled access log. Auth and Authz are sources in this process; everything
// on the way of a request is what `apps/gateway` runs.
import { createServer } from 'node:http';
import process from 'node:process';
import { Directory, generateServiceKey, signDirectory, ViaTokens } from '@gatehouse/discovery';
import {
  BufferedAuditTrail,
  GrantView,
  KeySet,
  MemoryRateLimitStore,
  RevocationView,
  TokenVerifier,
} from '@gatehouse/guards';
import { Tracing } from '@gatehouse/kernel';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { pino } from 'pino';
import { Forwarder } from '../../apps/gateway/dist/forward/forwarder.js';
import { Upgrader } from '../../apps/gateway/dist/forward/upgrader.js';
import { GatewayPipeline } from '../../apps/gateway/dist/front/gateway.pipeline.js';
import { ClientAddress } from '../../apps/gateway/dist/request/client-address.js';
import { RouteTable } from '../../apps/gateway/dist/routing/route-table.js';
import { buildVersion } from '../../apps/gateway/dist/routing/version-builder.js';
import { AccessLog } from '../../apps/gateway/dist/telemetry/access-log.js';
import { DenialTrail } from '../../apps/gateway/dist/telemetry/denial-trail.js';
import { EdgeSpans } from '../../apps/gateway/dist/telemetry/edge-spans.js';
import { Refusals } from '../../apps/gateway/dist/telemetry/refusals.js';
import { RequestMetrics } from '../../apps/gateway/dist/telemetry/request-metrics.js';
import { requestObserver } from '../../apps/gateway/dist/telemetry/request-observer.js';
import { Upstreams } from '../../apps/gateway/dist/upstream/upstreams.js';
import { AUDIENCE, ISSUER, jwkOf } from './tokens.js';

const upstreamPort = process.argv[2];
const signingKey = process.env.BENCH_SIGNING_KEY;
const PERMISSION = 'things.thing.read';

const keys = new KeySet({
  load: () => {
    const now = Math.floor(Date.now() / 1000);
    return Promise.resolve({ keys: [jwkOf(signingKey)], issuedAt: now, expiresAt: now + 86_400 });
  },
});
/** Auth's and Authz's streams: what there is, then a heartbeat each 200 ms. */
async function* stream(changes, signal) {
  yield* changes.map((change) => ({ change }));
  while (!signal.aborted) {
    yield { head: changes.length };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
const revocations = new RevocationView({
  watch: (_after, signal) =>
    stream(
      Array.from({ length: 1000 }, (_, n) => ({
        number: n + 1,
        item: 'session',
        id: `revoked-${n}`,
        revoked: true,
        expiresAt: new Date(Date.now() + 3_600_000),
      })),
      signal,
    ),
});
const reader = {
  id: 'role-reader',
  name: 'reader',
  permissions: [PERMISSION],
  allPermissions: false,
  implicit: false,
  deleted: false,
};
const grants = new GrantView({
  watch: (_after, signal) => stream([{ number: 1, role: reader }], signal),
  grantsOf: (subjectId) =>
    Promise.resolve({ subjectId, number: 1, bindings: [{ roleId: reader.id, scope: 'platform' }] }),
});
for (const view of [keys, revocations, grants]) view.start();
await Promise.all([keys, revocations, grants].map((view) => view.whenReady()));

const platform = generateServiceKey();
const own = generateServiceKey();
const trustAnchor = createPublicKey(platform.publicKey);
const directory = new Directory(trustAnchor);
const services = [
  { name: 'gateway', prefixes: [], namespace: 'gateway', publicKey: own.publicKey },
];
await directory.accept(await signDirectory({ serial: 1, services }, platform.privateKey));
const via = new ViaTokens('gateway', createPrivateKey(own.privateKey), directory, trustAnchor);

const edge = {
  address: { name: 'address', limit: 1_000_000, window_seconds: 1, by: 'ip' },
  principal: { name: 'principal', limit: 1_000_000, window_seconds: 1, by: 'principal' },
};
const metrics = new RequestMetrics();
metrics.publish();
const upstreams = new Upstreams({ connections: 256, connectTimeoutMs: 1000 });
const declaration = (method, path) => ({
  method,
  path,
  operation: `ThingsController.${method.toLowerCase()}`,
  access: { kind: 'permission', permission: PERMISSION, scope: 'organization' },
  rate_limits: [],
  consumes: [],
  body_limit: 0,
  idempotent: true,
  timeout_ms: 10_000,
});
const manifest = {
  service: 'things',
  version: '1.0.0',
  namespace: 'things',
  permissions: [],
  routes: [
    '/v1/things',
    '/v1/things/{id}',
    '/v1/things/{id}/parts',
    '/v1/things/{id}/parts/{part}',
  ].flatMap((path) => [declaration('GET', path), declaration('DELETE', path)]),
};
const allotted = { name: 'things', prefixes: ['/v1/things'], namespace: 'things' };
const version = buildVersion(manifest, 'sha-256:bench', allotted, edge, (...of) =>
  metrics.seriesOf(...of),
);
version.instances = ['a', 'b'].map((instanceId) =>
  upstreams.of({ service: 'things', instanceId, httpUrl: `http://127.0.0.1:${upstreamPort}` }),
);
const table = new RouteTable([{ ...allotted, versions: [version] }]);

const forwarding = { via: (service) => via.issue(service), schemeOf: () => 'http' };
const logger = pino(pino.destination({ dest: '/dev/null', sync: true }));
const trail = new BufferedAuditTrail({
  record: () => Promise.resolve(),
  recordAll: () => Promise.resolve(),
});
const spans = new EdgeSpans(Tracing.off, { slowMs: 1000, unsampledPerSecond: 100 });
const pipeline = new GatewayPipeline({
  table: () => table,
  tokens: new TokenVerifier(keys, { issuer: ISSUER, audience: AUDIENCE, skewSeconds: 10 }),
  revocations,
  grants,
  limits: new MemoryRateLimitStore(),
  denials: new DenialTrail(trail),
  forwarder: new Forwarder({ bodyIdleTimeoutMs: 30_000, ...forwarding }),
  upgrader: new Upgrader({ connectTimeoutMs: 1000, ...forwarding }),
  clients: new ClientAddress([]),
  edge,
  cors: { origins: ['https://app.example'], maxAgeSeconds: 600 },
  maxInFlight: 2000,
  spans,
  onDone: requestObserver(
    metrics,
    new Refusals(),
    new AccessLog(
      {
        log: (entry, text) => logger.info(entry, text),
        warn: (entry, text) => logger.warn(entry, text),
      },
      { sample: 0.05, slowMs: 1000, othersPerSecond: 100 },
    ),
    spans,
  ),
});

const server = createServer((request, response) => {
  pipeline.handle(request, response, () => response.writeHead(404).end());
});
server.keepAliveTimeout = 72_000;
server.maxHeadersCount = 0;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
// So that a profile of this process is written.
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));
