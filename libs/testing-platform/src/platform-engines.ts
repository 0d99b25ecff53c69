import { type Engine, engineSet, EngineSet } from '@gatehouse/testing';

/** What a platform may run on besides the PostgreSQL of the test run. */
export type PlatformEngine = Extract<Engine, 'kafka' | 'consul' | 'redis' | 'postgres'>;

/**
 * `'scale'`: Kafka, Consul and Redis. A list: those alone, in any mix; with `postgres` the database is on a server of the
 * platform's own, which may be killed. These are started for the platform and end with it. A set that the test has started
 * serves one platform at a time and is left running: its topics, keys and entries are not told apart.
 */
export type EnginesWanted = 'scale' | readonly PlatformEngine[] | EngineSet;

export const SCALE: readonly PlatformEngine[] = ['kafka', 'consul', 'redis'];

/** The engines of one platform. */
export class PlatformEngines {
  private constructor(
    readonly set: EngineSet | undefined,
    private readonly owned: boolean,
  ) {}

  static async of(wanted: EnginesWanted | undefined): Promise<PlatformEngines> {
    if (wanted instanceof EngineSet) return new PlatformEngines(wanted, false);
    const names = wanted === 'scale' ? SCALE : (wanted ?? []);
    if (names.length === 0) return new PlatformEngines(undefined, false);
    return new PlatformEngines(await engineSet(names), true);
  }

  /** KAFKA_BROKERS, CONSUL_HTTP_ADDR and REDIS_URL, as far as there are such engines. */
  get addresses(): Record<string, string> {
    const { DATABASE_URL: _ofTheProvisioner, ...addresses } = this.set?.env ?? {};
    return addresses;
  }

  /** A superuser's, where PostgreSQL is among them. */
  get databaseServer(): string | undefined {
    return this.set?.env.DATABASE_URL;
  }

  async end(): Promise<void> {
    if (this.owned) await this.set?.end();
  }
}

/** Set in a shell for something else, these would choose engines for platforms that asked for none. */
export function withoutEngines(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const chooses = /^(KAFKA_|CONSUL_|REDIS_|DATABASE_TLS_|DISCOVERY_STATIC)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !chooses.test(name)));
}
