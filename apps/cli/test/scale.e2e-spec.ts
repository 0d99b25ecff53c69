import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceEnvironment } from '@gatehouse/launcher';
import { type SecuredEngines, securedEngines } from '@gatehouse/launcher/testing';
import {
  type ChildProcessHandle,
  describeWithEngines,
  type Engine,
  ENGINES_START_MS,
  eventually,
  freePort,
  startProcess,
} from '@gatehouse/testing';
import { jest } from '@jest/globals';
import { Launcher, runs } from './launcher.driver.ts';

jest.setTimeout(180_000);

const IDENTITY = join(import.meta.dirname, '..', '..', 'identity', 'dist', 'main.js');

interface Ready {
  error?: { lifecycle?: { message: string } };
  dependencies?: Record<string, { status: string }>;
}

async function readiness(adminUrl: string): Promise<{ status: number; body: Ready }> {
  const answer = await fetch(`${adminUrl}/health/ready`);
  return { status: answer.status, body: (await answer.json()) as Ready };
}

describeWithEngines(['kafka', 'consul', 'redis', 'postgres'], () => {
  let engines: SecuredEngines;
  let launcher: Launcher;
  let running: ChildProcessHandle;

  beforeAll(async () => {
    engines = await securedEngines(['kafka', 'consul', 'redis', 'postgres']);
    launcher = await Launcher.make(engines.env);
    running = await launcher.start('--scale', '--instances', '2', '--gateways', '2');
  }, ENGINES_START_MS);
  afterAll(async () => {
    await launcher.remove();
    await engines.end();
  });

  describe('started with --scale', () => {
    it('says which engine serves what', () => {
      const { ports } = engines.set;
      expect(running.stdout).toContain(`PostgreSQL at 127.0.0.1:${ports.postgres}/gatehouse`);
      expect(running.stdout).toContain(`Kafka at 127.0.0.1:${ports.kafka}`);
      expect(running.stdout).toContain(`Consul at 127.0.0.1:${ports.consul}`);
      expect(running.stdout).toContain(`Redis at 127.0.0.1:${ports.redis}`);
    });

    it('runs as many instances as asked for, and lets the administrator log in at each gateway', async () => {
      const { services } = launcher.state();
      const names = ['auth', 'identity', 'authz', 'audit', 'gateway'];
      expect(Object.keys(services).sort()).toEqual(
        names.flatMap((name) => [name, `${name}-2`]).sort(),
      );
      const { email, password } = JSON.parse(
        readFileSync(launcher.file('administrator.json'), 'utf8'),
      ) as Record<string, string>;
      for (const port of [launcher.gatewayPort, launcher.gatewayPort + 2]) {
        const answer = await fetch(`http://127.0.0.1:${port}/v1/auth/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ email, password }),
        });
        expect(answer.status).toBe(200);
      }
    });

    it('tells no service a credential of the administrator', () => {
      const secrets = ['KAFKA_PASSWORD', 'CONSUL_HTTP_TOKEN'].map(
        (name) => engines.env[name] ?? '',
      );
      for (const { pid } of Object.values(launcher.state().services)) {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        for (const secret of secrets) expect(environment).not.toContain(secret);
        expect(environment).not.toMatch(/(^|\0)(REDIS_PASSWORD|REDIS_USERNAME|DATABASE_URL)=/);
      }
    });

    it('gets new passwords and tokens while it runs, on every engine', async () => {
      const files = ['database-url', 'kafka-password', 'consul-http-token', 'redis-password'];
      const credentials = () =>
        files.map((name) => readFileSync(launcher.file(`credentials/identity/${name}`), 'utf8'));
      const earlier = credentials();
      const provision = ['provision', '--credentials', launcher.file('credentials')];
      const rotated = await launcher.run(...provision, '--rotate');
      expect(rotated).toMatchObject({
        code: 0,
        output: expect.stringContaining('! Consul: earlier tokens stay good') as string,
      });
      for (const [index, value] of credentials().entries()) expect(value).not.toBe(earlier[index]);
      // Takes the earlier tokens away: who reads Consul does so by the new one from here on.
      expect((await launcher.run(...provision)).code).toBe(0);
      // Connections are kept; a broker that comes back makes everybody connect again.
      await engines.set.kill('kafka');
      await engines.set.start('kafka');
      const adminUrl = launcher.state().services.identity?.admin_url ?? '';
      await eventually(
        async () => {
          const { status, body } = await readiness(adminUrl);
          const states = ['kafka', 'consul', 'redis'].map(
            (name) => body.dependencies?.[name]?.status,
          );
          expect([status, ...states]).toEqual([200, 'up', 'up', 'up']);
        },
        { timeoutMs: 60_000, intervalMs: 500 },
      );
    });

    it('shows the engines of each service, and stays ready without Redis', async () => {
      const adminUrl = launcher.state().services.identity?.admin_url ?? '';
      expect(await readiness(adminUrl)).toMatchObject({
        status: 200,
        body: {
          dependencies: {
            consul: { status: 'up' },
            kafka: { status: 'up' },
            redis: { status: 'up' },
          },
        },
      });
      await engines.set.kill('redis');
      await eventually(async () => {
        const { status, body } = await readiness(adminUrl);
        expect([status, body.dependencies?.redis?.status]).toEqual([200, 'down']);
      });
      await engines.set.start('redis');
      await eventually(
        async () => {
          expect((await readiness(adminUrl)).body.dependencies?.redis?.status).toBe('up');
        },
        { timeoutMs: 20_000 },
      );
    });

    it('is found well by the doctor, who names what is wrong', async () => {
      const well = await launcher.run('doctor', '--scale');
      expect(well.output).toContain(`Kafka at 127.0.0.1:${engines.set.ports.kafka} can be used`);
      expect(well.output).toContain('No problem was found');
      const wrong = await launcher.runWith({ KAFKA_PASSWORD: 'wrong' }, 'doctor', '--scale');
      expect(wrong.code).toBe(1);
      expect(wrong.output).toContain('KAFKA_USERNAME or KAFKA_PASSWORD is refused');
    });

    it('deletes no keys to data that are elsewhere', async () => {
      await running.kill('SIGINT');
      const { code, output } = await launcher.run('reset', '--yes');
      expect(code).toBe(1);
      expect(output).toContain('nothing was deleted');
    });

    it('leaves no process when it is stopped, and the engines alone', async () => {
      expect(await running.exited).toEqual({ code: 0, signal: null });
      expect(Object.values(launcher.state().services).filter(({ pid }) => runs(pid))).toEqual([]);
      expect(runs(await engines.set.pid('redis'))).toBe(true);
    });
  });

  describe('not started', () => {
    it('where DATABASE_URL is missing, naming it', async () => {
      const { code, output } = await launcher.runWith({ DATABASE_URL: '' }, 'start', '--scale');
      expect(code).toBe(1);
      expect(output).toContain('DATABASE_URL (or DATABASE_URL_FILE) is not set');
    });

    it('while an engine is not there yet, which it says until it is told to stop', async () => {
      await engines.set.stop('redis');
      const waiting = await launcher.startUntil(/! waiting for Redis at /, '--scale');
      await waiting.kill('SIGINT');
      expect(await waiting.exited).toEqual({ code: 0, signal: null });
      await engines.set.start('redis');
    });

    it.each([
      ['KAFKA_PASSWORD', 'wrong', 'Kafka at '],
      ['CONSUL_HTTP_TOKEN', '0c9c1f4e-1111-2222-3333-444444444444', 'Consul at '],
      ['REDIS_PASSWORD', 'wrong', 'Redis at '],
    ])('with a wrong %s, naming engine and variable', async (variable, value, engine) => {
      const { code, output } = await launcher.runWith({ [variable]: value }, 'start', '--scale');
      expect(code).toBe(1);
      expect(output).toContain(engine);
      expect(output).toContain(variable);
      expect(output).not.toContain(value);
    });
  });

  describe('a service', () => {
    let adminPort: number;
    beforeEach(async () => {
      adminPort = await freePort();
    });

    /** As the launcher starts it, and with this besides. */
    const identity = (changed: Record<string, string>) => {
      const { NODE_OPTIONS: _ofJest, ...base } = process.env;
      const env = serviceEnvironment(
        { ...base, ...engines.env },
        {
          profile: 'scale',
          credentialsDir: launcher.file('credentials/identity'),
          issuer: launcher.url,
          adminPort,
          extra: changed,
        },
      );
      return startProcess(process.execPath, [IDENTITY], {
        env: { NODE_OPTIONS: undefined, DATABASE_URL: undefined, ...env },
      });
    };
    const ownUrl = () =>
      readFileSync(launcher.file('credentials/identity/database-url'), 'utf8').trim();

    it.each<[string, string, () => string]>([
      ['PostgreSQL', 'DATABASE_URL', () => ownUrl().replace(/:[^:@/]+@/, ':wrong@')],
      ['Kafka', 'KAFKA_PASSWORD', () => 'wrong'],
      ['Consul', 'CONSUL_HTTP_TOKEN', () => '0c9c1f4e-1111-2222-3333-444444444444'],
      ['Redis', 'REDIS_PASSWORD', () => 'wrong'],
    ])('whose credential %s refuses ends at once, naming %s', async (engine, variable, value) => {
      const service = await identity({ [variable]: value() });
      expect((await service.exited).code).toBe(1);
      expect(service.stdout).toMatch(new RegExp(`${engine} at .* cannot be used: .*${variable}`));
      expect(service.stdout).not.toContain('waiting for');
    });

    it.each<[string, string, (port: number) => string]>([
      ['PostgreSQL', 'DATABASE_URL', (port) => ownUrl().replace(/:\d+\/gate/, `:${port}/gate`)],
      ['Kafka', 'KAFKA_BROKERS', (port) => `127.0.0.1:${port}`],
      ['Consul', 'CONSUL_HTTP_ADDR', (port) => `http://127.0.0.1:${port}`],
      ['Redis', 'REDIS_URL', (port) => `redis://127.0.0.1:${port}`],
    ])(
      'given a wrong address of %s waits within its bound, and names %s',
      async (engine, variable, value) => {
        const service = await identity({
          [variable]: value(await freePort()),
          ENGINE_WAIT_SECONDS: '1',
        });
        expect((await service.exited).code).toBe(1);
        expect(service.stdout).toMatch(
          new RegExp(`${engine} does not answer at .*\\(${variable}\\)`),
        );
      },
    );

    it.each<[Engine, string]>([
      ['postgres', 'PostgreSQL'],
      ['kafka', 'Kafka'],
      ['consul', 'Consul'],
      ['redis', 'Redis'],
    ])(
      'started before %s waits for it, says so, and is ready once it is there',
      async (engine, name) => {
        await engines.set.stop(engine);
        const service = await identity({ ENGINE_WAIT_SECONDS: '120' });
        const adminUrl = `http://127.0.0.1:${adminPort}`;
        await eventually(
          async () => {
            const { status, body } = await readiness(adminUrl);
            expect(status).toBe(503);
            expect(body.error?.lifecycle?.message).toContain(`waiting for ${name} at `);
          },
          { timeoutMs: 30_000 },
        );
        expect(service.stdout).toContain(`waiting for ${name} at `);
        await engines.set.start(engine);
        await eventually(async () => expect((await readiness(adminUrl)).status).toBe(200), {
          timeoutMs: 60_000,
        });
        await service.kill('SIGTERM');
        expect((await service.exited).code).toBe(0);
      },
    );

    it('that waits for an engine ends at once when it is told to', async () => {
      await engines.set.stop('redis');
      const service = await identity({ ENGINE_WAIT_SECONDS: '120' });
      await eventually(() => service.stdout.includes('waiting for Redis'), { timeoutMs: 30_000 });
      const began = performance.now();
      await service.kill('SIGTERM');
      expect(performance.now() - began).toBeLessThan(10_000);
      await engines.set.start('redis');
    });
  });
});

describeWithEngines(['kafka', 'consul', 'redis', 'postgres'], () => {
  it(
    'runs on engines that speak TLS, all of them, and asks each for who it is',
    async () => {
      const engines = await securedEngines(['kafka', 'consul', 'redis', 'postgres'], { tls: true });
      const launcher = await Launcher.make(engines.env);
      const running = await launcher.start('--scale');
      expect(running.stdout).toContain(`Consul at 127.0.0.1:${engines.set.ports.consul + 3}`);
      expect(running.stdout).toContain(`Redis at 127.0.0.1:${engines.set.ports.redis + 1}`);
      for (const { admin_url: adminUrl = '' } of Object.values(launcher.state().services)) {
        const { body } = await readiness(adminUrl);
        expect(Object.values(body.dependencies ?? {}).map(({ status }) => status)).not.toEqual([]);
        expect(JSON.stringify(body.dependencies)).not.toContain('down');
      }
      expect((await fetch(`${launcher.url}/v1/users/me`)).status).toBe(401);
      const { output } = await launcher.run('doctor', '--scale');
      expect(output).toContain('No problem was found');
      for (const engine of ['PostgreSQL', 'Kafka', 'Consul', 'Redis']) {
        expect(output).toMatch(new RegExp(`✓ the certificate of ${engine} at \\S+ is good until`));
      }
      await running.kill('SIGINT');
      expect((await running.exited).code).toBe(0);
      await launcher.remove();
      await engines.end();
    },
    ENGINES_START_MS,
  );
});
