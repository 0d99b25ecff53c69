import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '../eventually.ts';
import { currentRunOwner, isAlive, startedAtOf } from '../run-owner.ts';
import { type Engine, enginesBin } from './engines-bin.ts';
import { freePortBlock } from './free-ports.ts';

/** For `beforeAll`: what is missing is installed, and Consul is built from source once a machine. */
export const ENGINES_START_MS = 15 * 60_000;

const run = promisify(execFile);
/**
 * Where each engine's ports lie in the block of its set. The last one of Consul and of Redis is for TLS, where settings ask
 * for it.
 */
const PORTS: Record<Engine, { variable: string; at: number; takes: readonly number[] }> = {
  kafka: { variable: 'KAFKA_PORT', at: 0, takes: [0, 1, 10, 11, 20, 21] },
  consul: { variable: 'CONSUL_PORT', at: 30, takes: [30, 31, 32, 33] },
  redis: { variable: 'REDIS_PORT', at: 40, takes: [40, 41] },
  postgres: { variable: 'POSTGRES_PORT', at: 50, takes: [50] },
  otelcol: { variable: 'OTELCOL_PORT', at: 61, takes: [60, 61, 62, 63] },
  opensearch: { variable: 'OPENSEARCH_PORT', at: 70, takes: [70] },
};

export interface EngineSetOptions {
  /** Three brokers keep each record three times. Default 1. */
  kafkaNodes?: 1 | 3;
  /** Given to the program: KAFKA_CONF_EXTRA, CONSUL_CONF_EXTRA, REDIS_ARGS_EXTRA and so on. */
  settings?: Readonly<Record<string, string>>;
  /** Called once ports are chosen, for settings that name them. */
  settingsOf?: (ports: Readonly<Record<Engine, number>>) => Readonly<Record<string, string>>;
}

/**
 * Real engines of a test's own, on free ports, with empty data. Ended by `end`, else with the test file, else, by a warden,
 * as soon as the test run is gone.
 * @throws with what the program wrote, where an engine does not start
 */
export async function engineSet(
  engines: readonly Engine[],
  options: EngineSetOptions = {},
): Promise<EngineSet> {
  const bin = programOrThrow();
  const base = await freePortBlock(engines.flatMap((engine) => PORTS[engine].takes));
  const ports = Object.fromEntries(
    Object.entries(PORTS).map(([engine, { at }]) => [engine, base + at]),
  ) as Record<Engine, number>;
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-engines-'));
  const settings = {
    ENGINES_STATE: folder,
    ENGINES_POSTGRES_DATA: `${folder}-postgres`,
    KAFKA_NODES: String(options.kafkaNodes ?? 1),
    ...Object.fromEntries(engines.map((engine) => [PORTS[engine].variable, String(ports[engine])])),
    ...options.settings,
    ...options.settingsOf?.(ports),
  };
  const set = new EngineSet(bin, folder, engines, ports, settings);
  running.add(set);
  await startWarden(bin, folder, settings);
  try {
    await set.start();
    return set;
  } catch (error) {
    await set.end();
    throw error;
  }
}

export class EngineSet {
  constructor(
    private readonly bin: string,
    private readonly folder: string,
    private readonly engines: readonly Engine[],
    /** Of 127.0.0.1; Kafka's second broker is 10 after its first. */
    readonly ports: Readonly<Record<Engine, number>>,
    private readonly settings: Readonly<Record<string, string>>,
  ) {}

  /** What services are told to reach those of the set: KAFKA_BROKERS, CONSUL_HTTP_ADDR, REDIS_URL, DATABASE_URL and so on. */
  get env(): Record<string, string> {
    const nodes = Array.from({ length: Number(this.settings.KAFKA_NODES) }, (_, node) => node);
    const all: Record<Engine, Record<string, string>> = {
      kafka: {
        KAFKA_BROKERS: nodes.map((node) => `127.0.0.1:${this.ports.kafka + 10 * node}`).join(','),
      },
      consul: { CONSUL_HTTP_ADDR: `http://127.0.0.1:${this.ports.consul}` },
      redis: { REDIS_URL: `redis://127.0.0.1:${this.ports.redis}` },
      postgres: {
        DATABASE_URL: `postgres://gatehouse:gatehouse@127.0.0.1:${this.ports.postgres}/gatehouse`,
      },
      otelcol: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.ports.otelcol}` },
      opensearch: { OPENSEARCH_URL: `http://127.0.0.1:${this.ports.opensearch}` },
    };
    return Object.assign({}, ...this.engines.map((engine) => all[engine])) as Record<
      string,
      string
    >;
  }

  /** Starts what does not run, on the data it had, and waits until it answers. Default all. */
  async start(...engines: Engine[]): Promise<void> {
    const wanted = engines.length > 0 ? engines : this.engines;
    await installEngines(wanted);
    // Together: most of a start is waiting. All have come to an end when one has failed.
    const starts = await Promise.allSettled(wanted.map((engine) => this.call('start', engine)));
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** In order; keeps data. */
  async stop(...engines: Engine[]): Promise<void> {
    await this.call('stop', ...(engines.length > 0 ? engines : this.engines));
  }

  /** Stops it and deletes its data; `start` then brings it back empty. */
  async wipe(engine: Engine): Promise<void> {
    await this.call('wipe', engine);
  }

  /** SIGKILL, and waits for the end; of several brokers, one: `kafka-2`, else the first. */
  async kill(engine: Engine | `kafka-${number}`): Promise<void> {
    const pid = await this.pid(engine);
    const victim = { pid, startedAt: startedAtOf(pid) };
    await this.call('kill', oneOf(engine));
    // One that is still dying would be taken for running by a start.
    await eventually(() => !isAlive(victim));
  }

  /** SIGSTOP. */
  async pause(engine: Engine | `kafka-${number}`): Promise<void> {
    await this.call('pause', oneOf(engine));
  }

  /** SIGCONT. */
  async resume(engine: Engine | `kafka-${number}`): Promise<void> {
    await this.call('resume', oneOf(engine));
  }

  /** Of the first broker, where an engine has several. */
  async pid(engine: Engine | `kafka-${number}`): Promise<number> {
    const { stdout } = await this.call('pid', oneOf(engine));
    return Number(stdout.trim());
  }

  /** Ends all of them and deletes their data. */
  async end(): Promise<void> {
    if (!running.delete(this)) return;
    await this.call('wipe', ...this.engines);
    await rm(this.folder, { recursive: true, force: true });
  }

  private call(command: string, ...engines: string[]) {
    const env = { ...process.env, ...this.settings, NODE_OPTIONS: '' };
    return run(this.bin, [command, ...engines], { env });
  }
}

function oneOf(engine: Engine | `kafka-${number}`): string {
  return engine === 'kafka' ? 'kafka-1' : engine;
}

/**
 * Brings what is missing on this machine: minutes for Consul, which is built once a machine; nothing where it is there.
 * Two test files at once wait for each other.
 */
export async function installEngines(engines: readonly Engine[]): Promise<void> {
  const lock = join(tmpdir(), 'gatehouse-engines-install.lock');
  const env = { ...process.env, NODE_OPTIONS: '' };
  await run('flock', [lock, programOrThrow(), 'install', ...engines], { env });
}

function programOrThrow(): string {
  const bin = enginesBin();
  if (bin === undefined) throw new Error('ENGINES_BIN names no program that starts engines');
  return bin;
}

/** Ends what is left in `folder` when the test run has ended without doing so. */
async function startWarden(
  bin: string,
  folder: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const orders = JSON.stringify({ bin, settings, owner: currentRunOwner() });
  await writeFile(join(folder, 'warden.json'), orders, { mode: 0o600 });
  const program = fileURLToPath(new URL(`./warden${extname(import.meta.url)}`, import.meta.url));
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, folder], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, NODE_OPTIONS: '' },
  }).unref();
}

const running = new Set<EngineSet>();

// Jest has an `afterAll` while it loads a test file.
const { afterAll } = globalThis as { afterAll?: (fn: () => Promise<void>, ms: number) => void };
afterAll?.(async () => {
  await Promise.all([...running].map((set) => set.end()));
}, 60_000);
