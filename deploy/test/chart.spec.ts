import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KernelConfig } from '@gatehouse/kernel';
import { listServices, serviceEnvironment } from '@gatehouse/launcher';
import { describeWithPrograms } from '@gatehouse/testing';
import { parse } from 'yaml';
import { CHART, KUBERNETES, lint, render } from './support/helm.ts';
import { faults, type Manifest, unknownMembers } from './support/manifests.ts';

const WORKSPACE = join(import.meta.dirname, '..', '..');
const VALUES = globSync('ci/*-values.yaml', { cwd: CHART }).sort();

interface Container {
  name: string;
  image: string;
  args?: string[];
  env: { name: string; value?: string }[];
  ports?: { name: string; containerPort: number }[];
  securityContext: object;
  resources: { requests?: object; limits?: { memory?: string } };
  startupProbe: Probe;
  readinessProbe: Probe;
  livenessProbe: Probe;
}
interface Probe {
  httpGet: { path: string; port: string };
}
interface PodSpec {
  automountServiceAccountToken: boolean;
  terminationGracePeriodSeconds: number;
  securityContext: object;
  containers: Container[];
  topologySpreadConstraints?: { topologyKey: string }[];
  volumes: { name: string; secret?: { secretName: string; items: { key: string }[] } }[];
}

const podOf = (manifest: Manifest) => (manifest.spec.template as { spec: PodSpec }).spec;
const containerOf = (manifest: Manifest) => podOf(manifest).containers[0]!;
const envOf = (manifest: Manifest) =>
  Object.fromEntries(containerOf(manifest).env.map(({ name, value }) => [name, value]));
const ofKind = (manifests: readonly Manifest[], kind: string) =>
  manifests.filter((each) => each.kind === kind);
const namesOf = (manifests: readonly Manifest[]) => manifests.map(({ metadata }) => metadata.name);
const componentOf = ({ metadata }: Manifest) => metadata.labels?.['app.kubernetes.io/component'];
const keysOf = (manifest: Manifest) =>
  podOf(manifest).volumes.flatMap(({ secret }) => secret?.items.map(({ key }) => key) ?? []);

describe('the chart', () => {
  it('carries the rules of docker/prometheus as they are there', () => {
    const rules = join(WORKSPACE, 'docker/prometheus/rules');
    const names = globSync('*.rules.yml', { cwd: rules }).sort();
    expect(names.length).toBeGreaterThan(0);
    expect(globSync('*.rules.yml', { cwd: join(CHART, 'files') }).sort()).toEqual(names);
    for (const name of names) {
      // Where they differ: node deploy/helm/rules.js
      expect(readFileSync(join(CHART, 'files', name), 'utf8')).toBe(
        readFileSync(join(rules, name), 'utf8'),
      );
    }
  });

  it('has an entry for every core service of the workspace, with a schema where it has one', () => {
    const { services } = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as {
      services: Record<string, { database?: boolean }>;
    };
    const core = ['auth', 'identity', 'authz', 'audit', 'gateway'];
    expect(Object.keys(services).sort()).toEqual([...core].sort());
    for (const { name, database } of listServices(WORKSPACE)) {
      if (core.includes(name))
        expect([name, services[name]?.database ?? true]).toEqual([name, database]);
    }
  });
});

describeWithPrograms(['helm'], () => {
  describe.each(VALUES)('with %s', (values) => {
    it('has no fault that Helm finds', async () => {
      expect(await lint(values)).toContain('0 chart(s) failed');
    });

    it.each(KUBERNETES)('is made of what Kubernetes knows (%s)', async (kubernetes) => {
      const manifests = await render(values, { kubernetes });
      expect(manifests.length).toBeGreaterThan(10);
      expect(await faults(manifests)).toEqual([]);
      expect(unknownMembers(manifests)).toEqual([]);
      const ids = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
      expect(new Set(ids).size).toBe(ids.length);
    });

    it('runs nothing that is root, may become it, or may write to its files', async () => {
      const manifests = await render(values);
      const pods = manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'Job');
      expect(pods.length).toBeGreaterThanOrEqual(5);
      for (const pod of pods) {
        expect(podOf(pod)).toMatchObject({
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            seccompProfile: { type: 'RuntimeDefault' },
          },
        });
        expect(containerOf(pod).securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(containerOf(pod).resources).toMatchObject({
          requests: { cpu: expect.any(String) as string, memory: expect.any(String) as string },
          limits: { memory: expect.any(String) as string },
        });
      }
      expect(ofKind(manifests, 'Secret')).toEqual([]);
    });

    it('gives a pod the time that a service takes to end', async () => {
      for (const deployment of ofKind(await render(values), 'Deployment')) {
        const env = envOf(deployment);
        const sum = Number(env.SHUTDOWN_DRAIN_SECONDS) + Number(env.SHUTDOWN_TIMEOUT_SECONDS);
        expect(sum).toBeGreaterThan(0);
        expect(podOf(deployment).terminationGracePeriodSeconds).toBeGreaterThanOrEqual(sum + 10);
      }
    });
  });

  it('asks the image’s ports, by probes that the kernel answers', async () => {
    const image = readFileSync(join(WORKSPACE, 'docker/Dockerfile'), 'utf8');
    const portOf = (name: string) => Number(new RegExp(`${name}=(\\d+)`).exec(image)?.[1]);
    const launched = serviceEnvironment({}, { credentialsDir: '/', issuer: '' });
    for (const deployment of ofKind(await render('ci/small-values.yaml'), 'Deployment')) {
      const { ports, startupProbe, readinessProbe, livenessProbe } = containerOf(deployment);
      expect(ports).toEqual([
        { name: 'http', containerPort: portOf('HTTP_PORT') },
        { name: 'grpc', containerPort: portOf('GRPC_PORT') },
        { name: 'admin', containerPort: portOf('ADMIN_PORT') },
      ]);
      expect(startupProbe.httpGet).toEqual({ path: '/health/live', port: 'admin' });
      expect(livenessProbe.httpGet).toEqual({ path: '/health/live', port: 'admin' });
      expect(readinessProbe.httpGet).toEqual({ path: '/health/ready', port: 'admin' });
      expect(envOf(deployment)).toMatchObject({
        ADMIN_HOST: '0.0.0.0',
        MALLOC_MMAP_THRESHOLD_: launched.MALLOC_MMAP_THRESHOLD_,
      });
      const { SHUTDOWN_TIMEOUT_SECONDS: timeout } = new KernelConfig();
      expect(Number(envOf(deployment).SHUTDOWN_TIMEOUT_SECONDS)).toBe(timeout);
    }
  });

  it('migrates each schema before anything changes, with a credential that no running service has', async () => {
    const manifests = await render('ci/small-values.yaml');
    const jobs = ofKind(manifests, 'Job');
    const withSchema = listServices(WORKSPACE).filter(({ database }) => database);
    const expected = withSchema.map(({ name }) => `shop-gatehouse-${name}-migrate`);
    expect(namesOf(jobs)).toEqual(
      expect.arrayContaining(expected.filter((name) => /auth|identity|authz|audit/.test(name))),
    );
    for (const job of jobs) {
      expect(job.metadata.annotations?.['helm.sh/hook']).toBe('pre-install,pre-upgrade');
      expect(containerOf(job).args).toEqual(['migrate']);
      expect(keysOf(job)).toContain('migrator-database-url');
    }
    for (const deployment of ofKind(manifests, 'Deployment')) {
      expect(keysOf(deployment)).toEqual(
        expect.arrayContaining(['service-key', 'trust-anchor', 'database-url']),
      );
      expect(keysOf(deployment)).not.toContain('migrator-database-url');
    }
    expect(ofKind(await render('ci/static-values.yaml'), 'Job')).toEqual([]);
  });

  it('lets the outside reach the gateway’s port alone, and metrics only whom a value names', async () => {
    const policies = ofKind(await render('ci/scale-values.yaml'), 'NetworkPolicy');
    const [deny, ...allow] = policies;
    expect(deny?.spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'] });
    expect(deny?.spec).not.toHaveProperty('ingress');
    const release = { 'app.kubernetes.io/name': 'gatehouse', 'app.kubernetes.io/instance': 'shop' };
    expect(deny?.spec.podSelector).toEqual({ matchLabels: release });
    const rules = allow.flatMap(({ spec }) =>
      ((spec.ingress ?? []) as { from?: object[]; ports: { port: string }[] }[]).map(
        ({ from, ports }) => ({
          to:
            (spec.podSelector as { matchLabels: Record<string, string> }).matchLabels[
              'app.kubernetes.io/component'
            ] ?? 'all',
          from: JSON.stringify(from),
          ports: ports.map(({ port }) => port),
        }),
      ),
    );
    const namespace = (name: string) =>
      JSON.stringify([
        { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } },
      ]);
    expect(rules).toEqual([
      { to: 'gateway', from: namespace('ingress-nginx'), ports: ['http'] },
      {
        to: 'all',
        from: JSON.stringify([{ podSelector: { matchLabels: release } }]),
        ports: ['http', 'grpc'],
      },
      { to: 'all', from: namespace('monitoring'), ports: ['admin'] },
    ]);
    const unwatched = ofKind(await render('ci/small-values.yaml'), 'NetworkPolicy');
    expect(JSON.stringify(unwatched)).not.toContain('"admin"');
  });

  it('takes a service of one’s own as one entry more', async () => {
    const manifests = await render('ci/scale-values.yaml');
    const of = manifests.filter((each) => componentOf(each) === 'orders');
    expect(of.map(({ kind }) => kind).sort()).toEqual([
      'Deployment',
      'HorizontalPodAutoscaler',
      'PodDisruptionBudget',
      'Service',
    ]);
    const deployment = ofKind(of, 'Deployment')[0]!;
    expect(containerOf(deployment).image).toBe('registry.shop.example/gatehouse/orders:1.2.3');
    expect(podOf(deployment).volumes[0]?.secret?.secretName).toBe('orders-credentials');
    expect(keysOf(deployment)).toEqual(
      expect.arrayContaining([
        'kafka-password',
        'consul-http-token',
        'redis-password',
        'kafka-tls-cert',
      ]),
    );
    expect(envOf(deployment)).toMatchObject({
      EVENT_CONCURRENCY: '8',
      LOG_LEVEL: 'warn',
      KAFKA_BROKERS: 'kafka-0.kafka:9093,kafka-1.kafka:9093',
      KAFKA_TLS: 'on',
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      REDIS_URL: 'rediss://redis.shop:6379',
      CONSUL_HTTP_ADDR: 'http://$(HOST_IP):8500',
    });
  });

  it('finds instances by headless services, where there is no registry', async () => {
    const manifests = await render('ci/static-values.yaml');
    const headless = ofKind(manifests, 'Service').filter(({ spec }) => spec.clusterIP === 'None');
    const places = headless.map(
      (each) => `${componentOf(each)!}=${each.metadata.name}.shop.svc.cluster.local:3900`,
    );
    for (const deployment of ofKind(manifests, 'Deployment')) {
      expect(envOf(deployment).DISCOVERY_STATIC?.split(';').sort()).toEqual(places.sort());
      expect(envOf(deployment).GATEHOUSE_DIRECTORY_FILE).toBe('/etc/gatehouse/directory.jws');
      expect(containerOf(deployment).ports).toContainEqual({
        name: 'discovery',
        containerPort: 3900,
      });
      // ADR-0043: an instance that leaves is seen at the next poll.
      expect(Number(envOf(deployment).SHUTDOWN_DRAIN_SECONDS)).toBeGreaterThanOrEqual(3);
    }
    for (const { spec } of headless) expect(spec.publishNotReadyAddresses).toBe(true);
  });

  it('is watched by the names that rules and dashboards rest on', async () => {
    const manifests = await render('ci/scale-values.yaml');
    const [monitor] = ofKind(manifests, 'ServiceMonitor');
    expect(monitor?.spec).toMatchObject({
      jobLabel: 'app.kubernetes.io/component',
      selector: { matchLabels: { 'gatehouse.io/headless': 'true' } },
      endpoints: [
        {
          port: 'admin',
          path: '/metrics',
          relabelings: [{ targetLabel: 'platform', replacement: 'gatehouse' }],
        },
      ],
    });
    const groups = globSync('*.rules.yml', { cwd: join(CHART, 'files') })
      .sort()
      .flatMap(
        (name) =>
          (parse(readFileSync(join(CHART, 'files', name), 'utf8')) as { groups: object[] }).groups,
      );
    expect(ofKind(manifests, 'PrometheusRule')[0]?.spec.groups).toEqual(groups);
  });

  it.each([
    [[], 'issuer is required'],
    [['issuer=https://a.example', 'networkPolicy.egress=null'], 'networkPolicy.egress is required'],
    [['issuer=not-a-url'], 'issuer'],
    [['issuer=https://a.example', 'services.gateway.databse=true'], 'databse'],
    [['issuer=https://a.example', 'env.KAFKA_PASSWORD=secret'], 'KAFKA_PASSWORD'],
    [['issuer=https://a.example', 'redis.url=redis://admin:secret@redis:6379'], 'redis.url'],
    [['issuer=https://a.example', 'image.tag=latest'], 'image'],
    [['issuer=https://a.example', 'services.Orders.database=true'], 'Orders'],
  ])('refuses %j, and says what is wrong', async (set, problem) => {
    const egress = set.some((each) => each.includes('egress'))
      ? []
      : ['networkPolicy.enabled=false'];
    await expect(render('', { set: [...egress, ...set] })).rejects.toThrow(
      problem === 'redis.url' ? /redis.*url|url/ : problem,
    );
  });

  it('would show a misspelt member, and a value of a wrong type', async () => {
    const [first] = ofKind(await render('ci/small-values.yaml'), 'Deployment');
    const broken = structuredClone(first!);
    Object.assign(podOf(broken), { automountServiceAcountToken: false });
    expect(unknownMembers([broken]).join()).toContain('automountServiceAcountToken');
    Object.assign(broken.spec, { replicas: 'two' });
    expect((await faults([broken])).join()).toContain('replicas');
  });
});
