import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { describeWithEngines } from './describe-with-engines.ts';
import { engineSet, ENGINES_START_MS, installEngines } from './engine-set.ts';
import { freePortBlock } from './free-ports.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'docker', 'engines');

/** There is no Docker daemon here: a program in its place keeps the command lines. */
describe('the engines as containers', () => {
  let folder: string;
  let base: number;
  const listening: Server[] = [];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-docker-'));
    base = await freePortBlock([0, 10, 20, 30, 61, 62, 70]);
  });
  afterEach(() => {
    for (const server of listening.splice(0)) server.close();
    rmSync(folder, { recursive: true });
  });

  const state = () => join(folder, 'state');
  const environment = (): NodeJS.ProcessEnv => ({
    ...process.env,
    PATH: `${join(import.meta.dirname, 'fixtures', 'bin')}:${process.env.PATH ?? ''}`,
    FAKE_DOCKER: folder,
    ENGINES_STATE: state(),
    KAFKA_PORT: String(base),
    CONSUL_PORT: String(base + 30),
    OTELCOL_PORT: String(base + 61),
    OPENSEARCH_PORT: String(base + 70),
  });
  const engines = (args: string[], settings: Record<string, string> = {}) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const env = { ...environment(), ...settings };
      execFile(PROGRAM, args, { env }, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      });
    });
  /** What Docker was told, without the part of a container's name that differs from set to set. */
  const lines = (starting: string) =>
    readFileSync(join(folder, 'lines'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(starting))
      .map((line) => line.replaceAll(/gatehouse-\d+-/g, ''));
  const listen = async (...ports: number[]) => {
    for (const port of ports) {
      const server = createServer().listen(port, '127.0.0.1');
      listening.push(server);
      await once(server, 'listening');
    }
  };

  it('fetches images that are missing', async () => {
    await engines(['install', 'kafka', 'redis']);
    expect(lines('pull')).toEqual([
      expect.stringMatching(/apache\/kafka:4\.1\.0$/),
      expect.stringMatching(/redis:7/),
    ]);
    writeFileSync(join(folder, 'has-images'), '');
    await engines(['install', 'kafka', 'redis']);
    expect(lines('pull')).toHaveLength(2);
  });

  it('starts three brokers that know each other, with the settings of the test', async () => {
    const extra = join(folder, 'extra.properties');
    writeFileSync(extra, 'listeners=SASL_PLAINTEXT://127.0.0.1:{port},C://:{controller_port}\n');
    await listen(base, base + 10, base + 20);
    const settings = {
      KAFKA_NODES: '3',
      KAFKA_CONF_EXTRA: extra,
      KAFKA_FORMAT_EXTRA: '--add-scram SCRAM-SHA-256=[name=admin,password=secret]',
      KAFKA_OPTS: '-Dx=y',
    };
    expect(await engines(['start', 'kafka'], settings)).toMatchObject({ code: 0 });

    const formats = lines('run --rm');
    expect(formats).toHaveLength(3);
    expect(formats[0]).toContain('kafka-storage.sh');
    expect(formats[0]).toMatch(
      /format .*--add-scram SCRAM-SHA-256=\[name=admin,password=secret\]$/,
    );
    const brokers = lines('run --detach');
    expect(brokers).toHaveLength(3);
    for (const [index, line] of brokers.entries()) {
      const properties = join(state(), `kafka-${index + 1}`, 'server.properties');
      expect(line).toContain(`--name kafka-${index + 1} --network host`);
      expect(line).toContain('--env KAFKA_OPTS=-Dx=y');
      expect(line).toMatch(new RegExp(`apache/kafka:4\\.1\\.0 ${properties}$`));
      const written = readFileSync(properties, 'utf8').split('\n');
      const port = base + 10 * index;
      expect(written).toEqual(
        expect.arrayContaining([
          `node.id=${index + 1}`,
          `controller.quorum.voters=1@127.0.0.1:${base + 1},2@127.0.0.1:${base + 11},3@127.0.0.1:${base + 21}`,
          `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
          'default.replication.factor=3',
          'min.insync.replicas=2',
          // Last, so that it wins.
          `listeners=SASL_PLAINTEXT://127.0.0.1:${port},C://:${port + 1}`,
        ]),
      );
    }

    // What runs is left alone.
    await engines(['start', 'kafka'], settings);
    expect(lines('run --detach')).toHaveLength(3);
  });

  it('starts a Collector with the configuration of the test and its variables, and what takes its lines', async () => {
    for (const port of [base + 62, base + 70]) {
      const server = createHttpServer((_request, response) => response.end('{}'));
      listening.push(server.listen(port, '127.0.0.1'));
      await once(server, 'listening');
    }
    const settings = { OTELCOL_CONFIG: '/tmp/collector.yaml', OTELCOL_KEEP_PERCENT: '100' };
    expect(await engines(['start', 'otelcol', 'opensearch'], settings)).toMatchObject({ code: 0 });
    const [collector, search] = lines('run --detach');
    expect(collector).toContain('--name otelcol --network host');
    expect(collector).toContain(' --env OTELCOL_KEEP_PERCENT ');
    expect(collector).toContain(` --env OTELCOL_GRPC_PORT=${base + 60} `);
    expect(collector).toContain(` --env OTELCOL_HEALTH_PORT=${base + 62} `);
    expect(collector).toMatch(/collector-contrib:[\d.]+ --config \/tmp\/collector\.yaml$/);
    expect(search).toContain('--name opensearch --network host');
    expect(search).toContain(` -E http.port=${base + 70} `);
    expect(search).toContain(`path.data=${join(state(), 'opensearch', 'data')}`);
  });

  it('signals one of them', async () => {
    await listen(base, base + 10, base + 20);
    await engines(['start', 'kafka'], { KAFKA_NODES: '3' });
    for (const command of ['kill', 'pause', 'resume']) await engines([command, 'kafka-2']);
    expect(lines('kill')).toEqual([
      'kill kafka-2',
      'kill --signal STOP kafka-2',
      'kill --signal CONT kafka-2',
    ]);
  });

  it('fails with what the container wrote, where it ends instead of answering', async () => {
    writeFileSync(join(folder, 'dies'), '');
    const { code, stderr } = await engines(['start', 'consul']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/what gatehouse-\d+-consul wrote/);
    expect(stderr).toContain('consul did not answer');
  });

  it('fails where Docker does, and for an engine that there is not', async () => {
    writeFileSync(join(folder, 'fails'), '');
    expect(await engines(['start', 'consul'])).toMatchObject({ stderr: /no such image/ });
    const { code, stderr } = await engines(['start', 'mysql']);
    expect(code).toBe(1);
    expect(stderr).toContain("no engine named 'mysql'");
  });

  it('deletes containers and data of all that a set may have', async () => {
    await listen(base);
    await engines(['start', 'kafka']);
    expect(existsSync(join(state(), 'kafka-1'))).toBe(true);
    const all = ['kafka', 'consul', 'redis', 'postgres', 'otelcol', 'opensearch'];
    expect(await engines(['wipe', ...all])).toMatchObject({ code: 0 });
    expect(existsSync(join(state(), 'kafka-1'))).toBe(false);
    expect(lines('rm --force --volumes')).toContain('rm --force --volumes kafka-1');
  });

  // Its container is a process of this machine, so that all a test does to an engine can be tried in truth.
  describeWithEngines(['redis'], () => {
    const before = { ...process.env };
    beforeAll(() => installEngines(['redis']), ENGINES_START_MS);
    beforeEach(() => {
      writeFileSync(join(folder, 'has-images'), '');
      const { PATH, FAKE_DOCKER } = environment();
      Object.assign(process.env, { PATH, FAKE_DOCKER, ENGINES_BIN: PROGRAM });
    });
    afterEach(() => {
      process.env = { ...before };
    });

    it('serve engineSet: start, pid, kill, start again, pause, resume, end', async () => {
      const set = await engineSet(['redis'], {
        settings: { REDIS_ARGS_EXTRA: '--maxclients 77' },
      });
      const first = await set.pid('redis');
      expect(readFileSync(`/proc/${first}/cmdline`, 'utf8')).toContain('redis-server');
      expect(lines('run --detach')[0]).toMatch(/--appendonly no --maxclients 77$/);
      await set.kill('redis');
      await set.start('redis');
      const second = await set.pid('redis');
      expect(second).not.toBe(first);
      await set.pause('redis');
      await eventually(() => stateOf(second) === 'T');
      await set.resume('redis');
      await eventually(() => stateOf(second) !== 'T');
      await set.end();
      await eventually(() => ['gone', 'Z'].includes(stateOf(second)));
    });
  });
});

/** The letter of /proc/<pid>/stat; `gone` where there is no such process. */
function stateOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? '';
  } catch {
    return 'gone';
  }
}
