import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  describeExit,
  GATEWAY,
  listServices,
  serviceEnvironment,
  type ServicePackage,
  ServiceProcess,
} from '@gatehouse/launcher';
import { type EngineSet, eventually, freePort, type TemporaryDatabase } from '@gatehouse/testing';
import pg from 'pg';
import { Instance } from './instance.ts';
import { platformDatabase } from './platform-database.ts';
import { type EnginesWanted, PlatformEngines, withoutEngines } from './platform-engines.ts';
import { compileCache, gatehouse, workspace } from './run-command.ts';
import { settled } from './settled.ts';
import { TestClient, type TestClientOptions } from './test-client.ts';

export interface StartPlatformOptions {
  /** Engines of the scale profile; default none: the embedded profile. */
  engines?: EnginesWanted;
  /** Which to start; default all of the workspace. All are provisioned and migrated. */
  services?: readonly string[];
  /** Given to every service. */
  env?: Record<string, string>;
  /** Given to one service, over `env`. */
  envOf?: Record<string, Record<string, string>>;
  /** How many of a service; default 1. */
  instances?: Record<string, number>;
  /** `false`: nobody has been made administrator yet; see `TestPlatform.bootstrap`. Default true. */
  administrator?: boolean;
}

export interface Login {
  /** Sends the access token with each request, and keeps the address it logged in from. */
  client: TestClient;
  accessToken: string;
  refreshToken: string;
  sessionId: string;
}

export interface RegisteredUser extends Login {
  userId: string;
  email: string;
  password: string;
}

/** Rows of a query by a superuser, in the schema of one service. */
export type Query = <T extends object = Record<string, unknown>>(
  sql: string,
  parameters?: unknown[],
) => Promise<T[]>;

/**
 * The platform, or a part of it: the built services as processes on free ports, on a database and, where asked for, engines
 * of their own. Build first (the `e2e` target does). Stop it in `afterAll`; what is forgotten ends with the test file.
 */
export async function startPlatform(options: StartPlatformOptions = {}): Promise<TestPlatform> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-platform-'));
  const engines = await PlatformEngines.of(options.engines);
  const database = await platformDatabase(folder, engines, options);
  const gatewayPort = await freePort();
  const platform = new TestPlatform(folder, database, engines, gatewayPort, options);
  running.add(platform);
  try {
    await platform.start();
    return platform;
  } catch (error) {
    await platform.stop();
    throw error;
  }
}

export class TestPlatform {
  /** Where clients reach it. */
  readonly gatewayUrl: string;
  /** A superuser's connection. */
  readonly databaseUrl: string;
  private readonly services: ServicePackage[];
  private readonly instances = new Map<string, Instance[]>();
  private readonly pool: pg.Pool;
  private readonly stopHooks: (() => Promise<void>)[] = [];
  private started = 0;

  constructor(
    private readonly folder: string,
    private readonly temporary: TemporaryDatabase,
    private readonly ownEngines: PlatformEngines,
    gatewayPort: number,
    private readonly options: StartPlatformOptions,
  ) {
    this.gatewayUrl = `http://127.0.0.1:${gatewayPort}`;
    this.databaseUrl = temporary.url;
    this.pool = new pg.Pool({ connectionString: temporary.url, max: 4 });
    this.pool.on('error', () => undefined);
    this.services = listServices(workspace);
  }

  /** To be killed, paused and brought back. @throws where it runs on none */
  get engines(): EngineSet {
    const { set } = this.ownEngines;
    if (set === undefined) throw new Error('this platform runs on the embedded profile');
    return set;
  }

  /** What services are told of them; nothing on the embedded profile. */
  get engineAddresses(): Readonly<Record<string, string>> {
    return this.ownEngines.addresses;
  }

  /** As bootstrap has stored it. @throws where there has been none */
  get administrator(): { userId: string; email: string; password: string } {
    const {
      user_id: userId,
      email,
      password,
    } = JSON.parse(readFileSync(this.administratorFile, 'utf8')) as {
      user_id: string;
      email: string;
      password: string;
    };
    return { userId, email, password };
  }

  get administratorFile(): string {
    return join(this.folder, 'administrator.json');
  }

  async start(): Promise<void> {
    const { services: wanted, instances = {} } = this.options;
    const names = wanted ?? this.services.map(({ name }) => name);
    await Promise.all(
      names.flatMap((name) =>
        Array.from({ length: instances[name] ?? 1 }, () => this.startInstance(name)),
      ),
    );
    await settled(this.instances);
  }

  /** One more instance of a service, or its first. */
  async startInstance(service: string, env: Record<string, string> = {}): Promise<Instance> {
    const instance = new Instance(this.instanceOptions(service, env));
    this.instances.set(service, [...(this.instances.get(service) ?? []), instance]);
    return instance.start();
  }

  /** @throws where there is no such instance */
  instance(service: string, index = 0): Instance {
    const found = this.instances.get(service)?.[index];
    if (!found) throw new Error(`there is no instance ${index} of ${service}`);
    return found;
  }

  adminUrlOf(service: string, index?: number): string {
    return this.instance(service, index).adminUrl;
  }

  httpUrlOf(service: string, index?: number): string {
    return this.instance(service, index).httpUrl;
  }

  grpcAddressOf(service: string, index?: number): string {
    return this.instance(service, index).grpcAddress;
  }

  /** Sends the signal to one instance and waits for its end, except after SIGSTOP and SIGCONT. */
  async kill(service: string, signal?: NodeJS.Signals, index?: number): Promise<void> {
    await this.instance(service, index).kill(signal);
  }

  async restart(service: string, index?: number): Promise<void> {
    await this.instance(service, index).restart();
  }

  /** `gatehouse bootstrap` at the running services. @throws with what it wrote, where it fails */
  async bootstrap(email: string): Promise<void> {
    const services = ['auth', 'identity', 'authz'];
    await gatehouse([
      'bootstrap',
      ...['--credentials', join(this.folder, 'credentials')],
      ...['--administrator-file', this.administratorFile],
      ...['--email', email],
      ...services.flatMap((service) => [`--${service}`, this.grpcAddressOf(service)]),
    ]);
  }

  /** A command of a service, such as `rotate-keys`, with its environment. @throws with what it wrote, where it fails */
  async run(service: string, ...args: string[]): Promise<void> {
    const run = await ServiceProcess.spawn({ ...this.instanceOptions(service, {}), args });
    const exit = await run.exited;
    if (exit.code !== 0) throw run.failure(`${args.join(' ')} ${describeExit(exit)}`);
  }

  /** What all instances of the service have written, JSON lines. */
  logsOf(service: string): string {
    return (this.instances.get(service) ?? []).map(({ log }) => log).join('');
  }

  /** As GATEHOUSE_CREDENTIALS_DIR of the service has it; `platform` for the provisioner's. */
  credentialsDirOf(service: string): string {
    return join(this.folder, 'credentials', service);
  }

  database(service: string): Query {
    return async <T extends object>(sql: string, parameters: unknown[] = []) => {
      const client = await this.pool.connect();
      try {
        await client.query(`SET search_path = "${service}"`);
        return (await client.query<T & pg.QueryResultRow>(sql, parameters)).rows as T[];
      } finally {
        client.release();
      }
    };
  }

  /** Each comes from an address of its own: the rate limits of one do not touch another. */
  client(options?: TestClientOptions): TestClient {
    return new TestClient(this.gatewayUrl, options);
  }

  /** @throws with the answer, where it is not 200 */
  async login(email: string, password: string, client = this.client()): Promise<Login> {
    const { status, body } = await client.post<Record<string, string>>('/v1/auth/login', {
      email,
      password,
    });
    if (status !== 200) throw new Error(`login answered ${status}: ${JSON.stringify(body)}`);
    const { access_token: token = '', refresh_token = '', session_id = '' } = body;
    return {
      client: client.as(token),
      accessToken: token,
      refreshToken: refresh_token,
      sessionId: session_id,
    };
  }

  loginAsAdministrator(): Promise<Login> {
    return this.login(this.administrator.email, this.administrator.password);
  }

  /** A new user, registered and logged in through the gateway as anybody would be. */
  async registerAndLogin(
    email = `user-${randomBytes(6).toString('hex')}@example.com`,
    password = randomBytes(15).toString('base64url'),
  ): Promise<RegisteredUser> {
    const client = this.client();
    const { status, body } = await client.post('/v1/auth/register', { email, password });
    if (status !== 202) throw new Error(`register answered ${status}: ${JSON.stringify(body)}`);
    // 202: the registration may still be on its way through identity.
    const login = await eventually(() => this.login(email, password, this.client()));
    return { ...login, userId: subjectOf(login.accessToken), email, password };
  }

  /** For what holds connections to its engines. */
  beforeStop(hook: () => Promise<void>): void {
    this.stopHooks.push(hook);
  }

  /** Ends every process at once, drops the database and ends the engines that were started for it. */
  async stop(): Promise<void> {
    // The hook below comes before those of the test file.
    if (!running.delete(this)) return;
    await Promise.allSettled(this.stopHooks.map((hook) => hook()));
    for (const instance of [...this.instances.values()].flat()) instance.discard();
    await this.pool.end();
    await this.temporary.drop();
    await this.ownEngines.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private instanceOptions(service: string, env: Record<string, string>) {
    const found = this.services.find(({ name }) => name === service);
    if (!found) throw new Error(`the workspace has no service ${service}`);
    const first = service === GATEWAY && !this.instances.has(GATEWAY);
    return {
      name: service,
      mainFile: found.mainFile,
      logFile: join(this.folder, 'logs', `${service}-${++this.started}.log`),
      env: serviceEnvironment(withoutEngines(process.env), {
        credentialsDir: this.credentialsDirOf(service),
        issuer: this.gatewayUrl,
        compileCache,
        ...(first && { httpPort: Number(new URL(this.gatewayUrl).port) }),
        extra: {
          ...this.ownEngines.addresses,
          ...(service === GATEWAY && { GATEWAY_TRUSTED_PROXIES: '127.0.0.1/32' }),
          ...this.options.env,
          ...this.options.envOf?.[service],
          ...env,
        },
      }),
    };
  }
}

/** The `sub` of an access token. */
function subjectOf(token: string): string {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  return (JSON.parse(payload) as { sub: string }).sub;
}

const running = new Set<TestPlatform>();

// Jest has an `afterAll` while it loads a test file.
const { afterAll } = globalThis as { afterAll?: (fn: () => Promise<void>) => void };
afterAll?.(async () => {
  await Promise.all([...running].map((platform) => platform.stop()));
});
