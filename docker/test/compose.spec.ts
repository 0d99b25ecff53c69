import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { KernelConfig } from '@gatehouse/kernel';
import { CORE_SERVICES, GATEWAY, listServices } from '@gatehouse/launcher';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { readDockerfile } from './support/dockerfile.ts';
import { declaredVariables, OTHER_VARIABLES, read, WORKSPACE } from './support/workspace.ts';

const run = promisify(execFile);
const FILE = 'docker/compose.yaml';

interface Mount {
  source: string;
  target: string;
  read_only: boolean;
  subpath?: string;
}

interface Service {
  image: string;
  build?: { context: string; dockerfile: string; args: { SERVICE: string } };
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string>;
  networks?: string[];
  network_mode?: string;
  ports?: string[];
  volumes?: (
    string | { source: string; target: string; read_only?: boolean; volume?: { subpath?: string } }
  )[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { disable?: boolean; test?: string[] };
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  privileged?: boolean;
  restart?: string;
  stop_grace_period?: string;
  deploy?: { resources?: { limits?: { cpus?: string; memory?: string; pids?: number } } };
}

interface Compose {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
  volumes: Record<string, object>;
}

const compose = parse(read(FILE), { merge: true, maxAliasCount: -1 }) as Compose;
const services = Object.entries(compose.services);
const serviceOf = (name: string): Service => {
  const found = compose.services[name];
  if (!found) throw new Error(`${FILE} has no service ${name}`);
  return found;
};
/** A generated service is one's own to add. */
const ours = listServices(WORKSPACE).filter(({ name }) => name in compose.services);
const isOurs = (service: Service) => service.build !== undefined;

describe(FILE, () => {
  it('is valid by the schema of the Compose specification', () => {
    const schema = JSON.parse(
      readFileSync(
        join(dirname(require.resolve('dclint/package.json')), 'schemas/compose.schema.json'),
        'utf8',
      ),
    ) as { $schema: string };
    // Written there with an s, under which nobody knows it.
    schema.$schema = 'http://json-schema.org/draft-07/schema#';
    const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(
      schema,
    );
    expect({ valid: validate(compose), errors: validate.errors }).toEqual({
      valid: true,
      errors: null,
    });
    expect(validate({ ...compose, services: { auth: { imagee: 'x' } } })).toBe(false);
  });

  it('runs every core service, migrates those with a schema, and starts the gateway last', () => {
    expect(ours.map(({ name }) => name)).toEqual(
      expect.arrayContaining([...CORE_SERVICES, GATEWAY]),
    );
    for (const { name, database } of ours) {
      expect(serviceOf(name).build?.args.SERVICE).toBe(name);
      if (!database) continue;
      expect(serviceOf(`${name}-migrate`)).toMatchObject({
        command: ['migrate'],
        image: serviceOf(name).image,
      });
      expect(serviceOf(name).depends_on).toEqual({
        [`${name}-migrate`]: { condition: 'service_completed_successfully' },
      });
    }
    expect(serviceOf(GATEWAY).depends_on).toMatchObject({
      bootstrap: { condition: 'service_completed_successfully' },
    });
  });

  it('waits for what is there, and for nothing that cannot come', () => {
    for (const [name, { depends_on: waits = {} }] of services) {
      for (const [other, { condition }] of Object.entries(waits)) {
        const { healthcheck, restart } = serviceOf(other);
        const possible =
          condition === 'service_healthy'
            ? healthcheck?.test !== undefined
            : condition === 'service_completed_successfully' && restart === 'no';
        expect(`${name} waits for ${other}: ${possible}`).toBe(`${name} waits for ${other}: true`);
      }
    }
    const visit = (name: string, path: string[]): void => {
      expect(path).not.toContain(name);
      for (const next of Object.keys(serviceOf(name).depends_on ?? {}))
        visit(next, [...path, name]);
    };
    for (const [name] of services) visit(name, []);
  });

  it('mounts files of the project that exist, and volumes that are declared', () => {
    for (const [name, service] of services) {
      for (const { source } of mountsOf(service)) {
        const there = source.startsWith('.')
          ? existsSync(join(WORKSPACE, 'docker', source))
          : source in compose.volumes;
        expect(`${name}: ${source} ${there}`).toBe(`${name}: ${source} true`);
      }
    }
    const used = services.flatMap(([, service]) => mountsOf(service).map(({ source }) => source));
    expect(used).toEqual(expect.arrayContaining(Object.keys(compose.volumes)));
  });

  it('starts containers by files that are mounted where they are said to be', () => {
    let checked = 0;
    for (const [name, service] of services) {
      const words = [...(service.entrypoint ?? []), ...(service.command ?? [])];
      const paths = words.flatMap(
        (word) => /(?:^|=)(\/(?:etc|setup|engines)\/?.*)$/.exec(word)?.[1] ?? [],
      );
      for (const path of paths) {
        const mount = mountsOf(service).find(({ target }) => `${path}/`.startsWith(`${target}/`));
        const file = join(
          WORKSPACE,
          'docker',
          mount?.source ?? 'nowhere',
          path.slice(mount?.target.length),
        );
        expect(`${name}: ${path} ${existsSync(file)}`).toBe(`${name}: ${path} true`);
        checked++;
      }
    }
    expect(checked).toBeGreaterThanOrEqual(8);
  });

  it('lets nothing write to its own files, or have rights it does not need', () => {
    // Its start writes into its own configuration.
    const writing = services
      .filter(([, { read_only: fixed }]) => fixed !== true)
      .map(([name]) => name);
    expect(writing).toEqual(['opensearch']);
    for (const [name, service] of services) {
      expect([name, service.cap_drop, service.cap_add, service.privileged]).toEqual([
        name,
        ['ALL'],
        undefined,
        undefined,
      ]);
      expect(service.security_opt).toEqual(['no-new-privileges:true']);
      const limits = service.deploy?.resources?.limits;
      expect([name, Object.keys(limits ?? {}).sort()]).toEqual([name, ['cpus', 'memory', 'pids']]);
      expect(service.image).toMatch(/:[^:]+$/);
      expect(service.image).not.toMatch(/:latest$/);
    }
  });

  it('publishes the gateway and the dashboards, on this machine alone', () => {
    const published = services.filter(([, { ports }]) => ports).map(([name]) => name);
    expect(published).toEqual(['gateway', 'prometheus', 'grafana']);
    for (const name of published) {
      for (const port of serviceOf(name).ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
    const networks = new Set(services.flatMap(([, service]) => service.networks ?? []));
    expect([...networks].sort()).toEqual(Object.keys(compose.networks).sort());
    const outside = Object.entries(compose.networks).filter(
      ([, { internal }]) => internal !== true,
    );
    expect(outside.map(([name]) => name)).toEqual(['edge']);
    const reachable = services.filter(
      ([, { networks: own, network_mode: mode }]) => own?.includes('edge') ?? mode !== 'none',
    );
    expect(reachable.map(([name]) => name)).toEqual(published);
  });

  it('sets variables that the code reads, to addresses that are in it', () => {
    const known = declaredVariables();
    for (const [name, service] of services.filter(([, each]) => isOurs(each))) {
      for (const [variable, value] of Object.entries(service.environment ?? {})) {
        const isRead =
          known.has(variable) || OTHER_VARIABLES.has(variable) || variable.startsWith('OTEL_');
        expect(`${name}: ${variable} ${isRead}`).toBe(`${name}: ${variable} true`);
        const host = /^(?:\w+:\/\/)?([a-z]+):(\d+)/.exec(value)?.[1];
        if (host !== undefined) expect(Object.keys(compose.services)).toContain(host);
      }
    }
  });

  it('asks for commands and options that the `gatehouse` command has', () => {
    const program = read('apps/cli/src/main.ts');
    for (const name of ['provision', 'bootstrap']) {
      const [command = '', ...args] = serviceOf(name).command ?? [];
      expect(command).toBe(name);
      const declared = program.slice(program.indexOf(`.command('${name}')`)).split('\nprogram')[0]!;
      const options = args.filter((word) => word.startsWith('--'));
      expect(options.length).toBeGreaterThan(0);
      for (const option of options) expect(declared).toContain(`'${option} <`);
    }
  });

  it('asks at the ports that the image sets, and gives a service the time to end', () => {
    const { stages } = readDockerfile(join(WORKSPACE, 'docker/Dockerfile'));
    const image = Object.fromEntries(
      stages.at(-1)!.steps.flatMap(({ keyword, pairs }) => (keyword === 'ENV' ? pairs : [])),
    );
    const { SHUTDOWN_TIMEOUT_SECONDS: timeout, SHUTDOWN_DRAIN_SECONDS: drain } = new KernelConfig();
    for (const { name } of ours) {
      const { healthcheck, stop_grace_period: grace } = serviceOf(name);
      expect(healthcheck?.test?.at(-1)).toContain(
        `http://127.0.0.1:${image.ADMIN_PORT}/health/ready`,
      );
      expect(parseInt(grace ?? '', 10)).toBeGreaterThanOrEqual(timeout + drain + 10);
    }
    expect(serviceOf('gateway').ports).toEqual([expect.stringMatching(`:${image.HTTP_PORT}$`)]);
    const asked = serviceOf('bootstrap').command?.filter((word) => word.includes(':'));
    expect(asked).toEqual(
      ['auth', 'identity', 'authz'].map((name) => `${name}:${image.GRPC_PORT}`),
    );
  });

  it('gives each process its own secrets alone', () => {
    for (const { name } of ours) {
      expect(mountsOf(serviceOf(name))).toEqual([
        {
          source: 'platform',
          target: '/run/gatehouse',
          read_only: true,
          subpath: `credentials/${name}`,
        },
      ]);
    }
    const whole = services
      .filter(([, each]) =>
        mountsOf(each).some(
          ({ source, subpath }) =>
            ['platform', 'secrets'].includes(source) && subpath === undefined,
        ),
      )
      .map(([name]) => name);
    expect(whole).toEqual(['secrets', 'provision', 'bootstrap']);
    for (const [name, { environment = {} }] of services) {
      const secrets = Object.keys(environment).filter((variable) =>
        /PASSWORD|SECRET|TOKEN|_KEY$/.test(variable),
      );
      for (const variable of secrets)
        expect(`${name}: ${variable}`).toMatch(/_FILE$|INSTALL|DISABLE/);
    }
  });

  describe('the secrets that its first start makes', () => {
    let folder: string;
    const make = () =>
      run(
        process.execPath,
        [join(WORKSPACE, 'docker/setup/secrets.js'), folder, join(WORKSPACE, 'docker/engines')],
        { env: {} },
      );
    const all = async () => {
      const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
        (each) => each.isFile(),
      );
      const entries = files.map(async (each) => {
        const file = join(each.parentPath, each.name);
        return [file.slice(folder.length + 1), await readFile(file, 'utf8')] as const;
      });
      return Object.fromEntries(await Promise.all(entries));
    };
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'gatehouse-secrets-'));
      await make();
    });
    afterAll(() => rm(folder, { recursive: true }));

    it('are what compose.yaml mounts, each in a folder of its own', async () => {
      const made = new Set(Object.keys(await all()).map((file) => dirname(file)));
      const mounted = services.flatMap(([, service]) =>
        mountsOf(service).flatMap(({ source, subpath }) =>
          source === 'secrets' && subpath ? [subpath] : [],
        ),
      );
      expect([...made].sort()).toEqual(mounted.sort());
      // A file is the variable of its name: what the provisioner is to find.
      const known = declaredVariables();
      for (const file of Object.keys(await all()).filter((name) =>
        name.startsWith('provisioner/'),
      )) {
        expect(known).toContain(
          file.slice('provisioner/'.length).toUpperCase().replaceAll('-', '_'),
        );
      }
    });

    it('are random, and kept by the next start', async () => {
      const before = await all();
      await make();
      expect(await all()).toEqual(before);
      const words = [
        'postgres/password',
        'provisioner/kafka-password',
        'provisioner/redis-password',
        'grafana/password',
      ];
      const values = words.map((file) => before[file]!);
      expect(new Set(values).size).toBe(words.length);
      for (const value of values) expect(value).toMatch(/^[\w-]{43}$/);
      expect((await stat(join(folder, 'postgres/password'))).mode & 0o222).toBe(0);
    });

    it('take the place of those that tests use, in the settings of Kafka and Consul', async () => {
      const files = await all();
      expect(files['kafka/security.properties']).not.toMatch(
        /admin-secret|\{port\}|\{controller_port\}/,
      );
      expect(files['kafka/security.properties']).toContain(
        `password="${files['kafka/password']!}"`,
      );
      expect(files['kafka/security.properties']).toContain(
        'advertised.listeners=SASL_PLAINTEXT://kafka:9092\n',
      );
      expect(files['kafka/security.properties']).toContain(
        '\nlisteners=SASL_PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093\n',
      );
      expect(files['consul/agent.hcl']).toContain(
        `initial_management = "${files['provisioner/consul-http-token']!}"`,
      );
      expect(files['consul/agent.hcl']).toMatch(/default_policy = "deny"/);
    });
  });
});

const require = createRequire(import.meta.url);

function mountsOf({ volumes = [] }: Service): Mount[] {
  return volumes.map((volume) => {
    if (typeof volume === 'string') {
      const [source = '', target = '', mode] = volume.split(':');
      return { source, target, read_only: mode === 'ro' };
    }
    const { source, target, read_only: fixed = false } = volume;
    const subpath = volume.volume?.subpath;
    return { source, target, read_only: fixed, ...(subpath !== undefined && { subpath }) };
  });
}
