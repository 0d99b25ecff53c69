import { setTimeout as sleep } from 'node:timers/promises';
import {
  endProcess,
  GATEWAY,
  identify,
  isRunning,
  listServices,
  runMigrations,
  serviceEnvironment,
  type ServiceAddresses,
  type ServicePackage,
  ServiceProcess,
  variableOf,
} from '@gatehouse/launcher';
import { type Administrator, AdministratorFile } from '../bootstrap/administrator.ts';
import type { DataFolder } from '../data/data-folder.ts';
import { takeLauncherLock } from '../data/launcher-lock.ts';
import { type PlatformState, stateFile } from '../data/platform-state.ts';
import { Cluster } from '../postgres/cluster.ts';
import type { Summary } from '../terminal/summary.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { CodeFingerprint } from './code-fingerprint.ts';
import { PlatformDatabase } from './database.ts';
import { enginesInUse, isMixed, plainAddress } from './engines-in-use.ts';
import { type Instance, instancesOf } from './instances.ts';
import { rotateLogs } from './log-rotation.ts';
import { ownCommand } from './own-command.ts';
import { refuseTakenPort } from './ports.ts';
import { servedElsewhere } from './served.ts';
import { SupervisedService } from './supervised-service.ts';

export interface PlatformOptions {
  workspace: string;
  folder: DataFolder;
  gatewayPort: number;
  gatewayAdminPort: number;
  administratorEmail?: string | undefined;
  /** On engines that the environment names, instead of an embedded PostgreSQL. */
  scale?: { instances: number; gateways: number } | undefined;
}

/** How often logs are looked at, and services that `gatehouse serve` runs. */
const ROUND_MS = 500;

/**
 * The whole platform as processes of this machine. Whatever `start` got done when it fails or is aborted, `stop` undoes:
 * first the gateways, then the services, PostgreSQL last where it is the platform's own.
 */
export class Platform {
  /** What is to run; each under a name of its own. */
  private instances: readonly Instance[] = [];
  private readonly supervised = new Map<string, SupervisedService>();
  private readonly aside = new Set<string>();
  private readonly rounds = new AbortController();
  private readonly state: PlatformState;
  private readonly code: CodeFingerprint;
  private release: () => void = () => undefined;
  private database: PlatformDatabase | undefined;
  private cluster: Cluster | undefined;
  private lockHeld = false;

  constructor(
    private readonly options: PlatformOptions,
    private readonly terminal: Terminal,
  ) {
    const launcher = identify(process.pid);
    if (!launcher) throw new Error('this process cannot be identified');
    this.code = new CodeFingerprint(options.workspace);
    const profile = options.scale ? 'scale' : 'embedded';
    this.state = { profile, launcher, services: {}, migrated: {}, ready: false };
  }

  /** @throws AlreadyRunning, PortTaken, or what failed; `stop` is still to be called then */
  async start(aborted: AbortSignal): Promise<Summary> {
    const failing = new AbortController();
    const signal = AbortSignal.any([aborted, failing.signal]);
    try {
      return await this.bringUp(signal, (error) => failing.abort(error));
    } catch (error) {
      // What fails because something else has failed is not the news.
      throw failing.signal.aborted ? failing.signal.reason : error;
    }
  }

  private async bringUp(signal: AbortSignal, fail: (error: unknown) => void): Promise<Summary> {
    const { folder, workspace, scale } = this.options;
    folder.open();
    this.release = takeLauncherLock(folder.lock());
    await this.stopLeftOvers();
    const services = listServices(workspace);
    this.instances = instancesOf(services, { ...this.options, ...scale });
    for (const { name, ports } of this.instances) {
      if (!ports) continue;
      await refuseTakenPort(ports.http, `the ${name}`, 'GATEWAY_PORT');
      await refuseTakenPort(ports.admin, `the ${name}'s admin listener`, 'GATEWAY_ADMIN_PORT');
    }
    signal.throwIfAborted();

    const own = scale ? {} : { DATABASE_URL: await this.startDatabase() };
    signal.throwIfAborted();
    const { newDatabase } = await this.provision(own, services, signal);
    const gateway = services.filter(({ name }) => name === GATEWAY);
    const others = services.filter(({ name }) => name !== GATEWAY);
    const administrator = new AdministratorFile(folder.administrator());
    // Engines may have been emptied while this folder was kept: the same administrator is made again.
    if (newDatabase) administrator.reopen();
    // Nobody may reach the platform before it has its administrator; later starts need not wait.
    const known = administrator.read()?.completed_at !== undefined;
    // Once one has failed the others are aborted, and nothing goes on starting behind an error.
    const startAll = async (some: readonly ServicePackage[]) => {
      await Promise.allSettled(some.map((each) => this.startService(each, signal).catch(fail)));
      signal.throwIfAborted();
    };
    await startAll(known ? services : others);
    const made = known ? undefined : await this.bootstrap(administrator, signal);
    if (!known) await startAll(gateway);

    Object.assign(this.state, {
      ready: true,
      gateway_url: this.gatewayUrl,
      gateway_admin_url: `http://127.0.0.1:${this.options.gatewayAdminPort}`,
    });
    this.remember();
    void this.goRounds();
    return this.summary(made);
  }

  async stop(): Promise<void> {
    this.rounds.abort();
    const ofGateway = new Set(
      this.instances.filter(({ service }) => service.name === GATEWAY).map(({ name }) => name),
    );
    const [gateways, others] = [true, false].map((isGateway) =>
      [...this.supervised.values()].filter(({ name }) => ofGateway.has(name) === isGateway),
    );
    await this.stopAll(gateways ?? [], (names) => (names.length === 1 ? 'the gateway' : undefined));
    await this.stopAll(others ?? []);
    if (this.cluster) await this.stopping('PostgreSQL', () => this.stopDatabase());
    if (this.lockHeld) {
      this.state.services = {};
      this.state.ready = false;
      this.remember();
    }
    this.release();
  }

  /** At once, and without waiting: what a second Ctrl-C asks for. PostgreSQL recovers at its next start. */
  kill(): void {
    for (const service of this.supervised.values()) service.kill();
    const server = this.cluster?.running ? identify(this.cluster.pid) : undefined;
    if (server && isRunning(server)) process.kill(server.pid, 'SIGQUIT');
  }

  private async stopAll(
    some: readonly SupervisedService[],
    called: (names: string[]) => string | undefined = () => undefined,
  ): Promise<void> {
    if (some.length === 0) return;
    const names = some.map(({ name }) => name);
    await this.stopping(called(names) ?? names.join(', '), () =>
      Promise.all(some.map((service) => service.stop())),
    );
  }

  private get gatewayUrl(): string {
    return `http://127.0.0.1:${this.options.gatewayPort}`;
  }

  /** What a launcher that was killed left: services first, then the PostgreSQL that they use. */
  private async stopLeftOvers(): Promise<void> {
    const { folder } = this.options;
    this.lockHeld = true;
    const last = stateFile(folder);
    const left = readOrNothing(() => last.read());
    if (left?.postgres_port !== undefined) this.state.postgres_port = left.postgres_port;
    Object.assign(this.state.migrated, left?.migrated);
    const alive = Object.entries(left?.services ?? {}).filter(([, service]) => isRunning(service));
    if (alive.length > 0) {
      const names = alive.map(([name, { pid }]) => `${name} (${pid})`).join(', ');
      this.terminal.note(`An earlier launcher was killed: stopping what it left, ${names}`);
      await Promise.all(alive.map(([, service]) => endProcess(service, { graceMs: 10_000 })));
    }
    const pid = await Cluster.stopLeftOver(folder.postgres());
    if (pid !== undefined) {
      this.terminal.note(`An earlier launcher was killed: stopped the PostgreSQL it left (${pid})`);
    }
    this.remember();
  }

  private async startDatabase(): Promise<string> {
    const { folder } = this.options;
    const { database, port, first } = await this.terminal.step(
      'starting PostgreSQL',
      (started) => `PostgreSQL ${started.version}${started.first ? ', new data' : ''}`,
      () =>
        PlatformDatabase.start(
          folder,
          this.state.postgres_port,
          {
            ended: (waitMs) =>
              this.terminal.note(`PostgreSQL ended; starting it again in ${waitMs / 1000} s`),
            again: () => this.terminal.line('  PostgreSQL runs again'),
          },
          (cluster) => (this.cluster = cluster),
        ),
    );
    this.database = database;
    this.state.postgres_port = port;
    if (first) this.state.migrated = {};
    this.remember();
    return database.adminUrl;
  }

  private async stopDatabase(): Promise<void> {
    if (this.database) await this.database.stop();
    else await this.cluster?.stop();
  }

  /** @param own what the provisioner is told in the place of this process's environment: of the embedded PostgreSQL */
  private async provision(
    own: { DATABASE_URL?: string },
    services: readonly ServicePackage[],
    signal: AbortSignal,
  ): Promise<{ newDatabase: boolean }> {
    const noTls = { DATABASE_TLS_CA: undefined, DATABASE_TLS_CA_FILE: undefined };
    const printed = await this.terminal.step(
      'provisioning',
      `provisioned ${services.length} services`,
      () =>
        ownCommand(['provision', '--json', '--credentials', this.options.folder.credentials()], {
          env: { ...process.env, ...(own.DATABASE_URL && { ...noTls, ...own }) },
          signal,
          onNote: (note) => this.terminal.note(note),
        }),
    );
    const { new_database: newDatabase } = JSON.parse(printed) as { new_database: boolean };
    return { newDatabase };
  }

  /** All instances of it. */
  private async startService(service: ServicePackage, signal: AbortSignal): Promise<void> {
    const instances = this.instances.filter((each) => each.service.name === service.name);
    await this.migrate(service, signal);
    signal.throwIfAborted();
    await Promise.all(instances.map((instance) => this.startInstance(instance, signal)));
  }

  private async migrate(service: ServicePackage, signal: AbortSignal): Promise<void> {
    const { name, mainFile, database } = service;
    if (!database) return;
    const code = this.code.of(service);
    // Of a database that is not this folder's own nobody knows what it went through.
    if (!this.options.scale && this.state.migrated[name] === code) return;
    const env = this.environmentOf({ service });
    const logFile = this.options.folder.log(name);
    await this.terminal.step(`migrating ${name}`, `${name} migrated`, () =>
      runMigrations({ name, mainFile, env, logFile, signal }),
    );
    this.state.migrated[name] = code;
    this.remember();
  }

  private async startInstance(instance: Instance, signal: AbortSignal): Promise<void> {
    const { name, service } = instance;
    const { mainFile } = service;
    const env = this.environmentOf(instance);
    const logFile = this.options.folder.log(name);
    const supervised = new SupervisedService(
      name,
      () => ServiceProcess.spawn({ name, mainFile, env, logFile }),
      {
        spawned: (_name, process) => this.spawned(name, process),
        ready: (_name, addresses, again) => {
          this.answered(name, addresses);
          if (again) this.terminal.line(`  ${name} runs again`);
        },
        ended: (_name, why, waitMs) =>
          this.terminal.note(`${name} ${why}; starting it again in ${waitMs / 1000} s`),
      },
    );
    this.supervised.set(name, supervised);
    await this.terminal.step(`starting ${name}`, `${name} ready`, () =>
      untilAborted(supervised.start(), signal),
    );
  }

  private environmentOf({
    service,
    ports,
  }: Pick<Instance, 'service' | 'ports'>): Record<string, string> {
    const { folder, scale } = this.options;
    return serviceEnvironment(process.env, {
      profile: scale ? 'scale' : 'embedded',
      credentialsDir: folder.credentials(service.name),
      issuer: process.env.AUTH_ISSUER ?? this.gatewayUrl,
      compileCache: folder.compileCache(),
      ...(ports && { httpPort: ports.http, adminPort: ports.admin }),
    });
  }

  private async bootstrap(
    file: AdministratorFile,
    signal: AbortSignal,
  ): Promise<Administrator | undefined> {
    const { administratorEmail } = this.options;
    const args = ['bootstrap', '--credentials', this.options.folder.credentials()];
    args.push('--administrator-file', file.path);
    if (administratorEmail) args.push('--email', administratorEmail);
    for (const name of ['auth', 'identity', 'authz']) {
      args.push(`--${name}`, this.supervised.get(name)?.addresses?.grpcAddress ?? '');
    }
    await this.terminal.step('making the administrator', 'administrator made', () =>
      ownCommand(args, { signal }),
    );
    return file.read();
  }

  /** Looks after logs, and lets a service that `gatehouse serve` runs stand aside and come back. */
  private async goRounds(): Promise<void> {
    const { folder } = this.options;
    for (let round = 0; !this.rounds.signal.aborted; round++) {
      if (round % 20 === 0) rotateLogs(folder.log());
      const served = servedElsewhere(folder.served());
      for (const [name, service] of this.supervised) {
        if (served.has(name) && !this.aside.has(name)) {
          this.aside.add(name);
          this.terminal.note(`${name} is served by \`gatehouse serve\`: standing aside`);
          await service.stop();
        } else if (!served.has(name) && this.aside.delete(name)) {
          this.terminal.line(`  ${name} is no longer served: starting it again`);
          await service
            .start()
            .catch((error: unknown) => this.terminal.note((error as Error).message));
        }
      }
      await sleep(ROUND_MS, undefined, { signal: this.rounds.signal }).catch(() => undefined);
    }
  }

  private spawned(name: string, { pid }: ServiceProcess): void {
    const identity = identify(pid);
    if (identity) this.state.services[name] = identity;
    this.remember();
  }

  private answered(name: string, { httpUrl, grpcAddress, adminUrl }: ServiceAddresses): void {
    const known = this.state.services[name];
    if (!known) return;
    Object.assign(known, { http_url: httpUrl, grpc_address: grpcAddress, admin_url: adminUrl });
    this.remember();
  }

  private remember(): void {
    stateFile(this.options.folder).write(this.state);
  }

  private async stopping(what: string, work: () => Promise<unknown>): Promise<void> {
    await this.terminal
      .step(`stopping ${what}`, `stopped ${what}`, work)
      .catch((error: unknown) => this.terminal.note((error as Error).message));
  }

  private summary(made?: Administrator): Summary {
    const { folder, gatewayAdminPort, scale } = this.options;
    const database = scale
      ? plainAddress(variableOf(process.env, 'DATABASE_URL') ?? '')
      : `127.0.0.1:${this.state.postgres_port ?? 0}`;
    return {
      gatewayUrl: this.gatewayUrl,
      gatewayAdminUrl: `http://127.0.0.1:${gatewayAdminPort}`,
      engines:
        scale || isMixed(process.env)
          ? enginesInUse(process.env, database)
          : [{ need: 'PostgreSQL', by: database }],
      services: this.instances.flatMap(({ name }) => {
        const addresses = this.supervised.get(name)?.addresses;
        return addresses ? [{ name, addresses }] : [];
      }),
      data: folder.path,
      logs: folder.log(),
      ...(made && {
        administrator: {
          email: made.email,
          password: made.password,
          file: folder.administrator(),
        },
      }),
    };
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([work, aborted]);
}

function readOrNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
