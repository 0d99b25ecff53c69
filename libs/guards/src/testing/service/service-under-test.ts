import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createGrpcClient, type GrpcClient } from '@gatehouse/clients';
import type { CloudEvent, GrpcContract } from '@gatehouse/contracts-platform';
import { Directory, issueProvisionerToken, PROVISIONER, ViaTokens } from '@gatehouse/discovery';
import { createService, type RunningService } from '@gatehouse/kernel';
import { Database, type Migration } from '@gatehouse/persistence';
import type { ProvisionedDatabase } from '@gatehouse/persistence/testing';
import { eventually } from '@gatehouse/testing';
import type { Type } from '@nestjs/common';

import { TestIssuer } from '../test-issuer.ts';
import { ServiceInstance } from './service-instance.ts';
import { peerWith, standInOf, StandInState } from './stand-ins.ts';
import { testDatabase } from './test-database.ts';
import { publishAs, publishedEvents } from './test-log.ts';

export interface ServiceUnderTestOptions {
  /** The folder of the service's package.json. */
  packageDir: string;
  /** The service's, libraries' included; none: it has no schema. */
  migrations?: readonly Migration[];
  env?: Record<string, string>;
  /** Services besides the core ones that there are: a test may publish in their name. */
  peers?: readonly string[];
}

/** Everything happens fast, so that tests need not wait. */
const QUICK = {
  GATEHOUSE_PROFILE: 'embedded',
  LOG_LEVEL: 'silent',
  SHUTDOWN_DRAIN_SECONDS: '0',
  EVENT_PARTITIONS: '4',
  EVENT_RETRY_BASE_MS: '20',
  EVENT_POLL_MS: '300',
  EVENT_SESSION_MS: '3000',
  OUTBOX_LEASE_MS: '2000',
};

/**
 * A service in this process as it is in production: its own module, a provisioned database, real discovery, HTTP and
 * gRPC. Stand-ins take the part of Auth, Authz and Audit, save the one that is under test.
 */
export class ServiceUnderTest {
  readonly issuer = new TestIssuer();
  readonly peers = new StandInState(this.issuer);
  /** The first instance. */
  first!: ServiceInstance;
  private readonly instances: ServiceInstance[] = [];
  private readonly running: RunningService[] = [];
  private readonly folders: string[] = [];
  private readonly clients: GrpcClient<GrpcContract>[] = [];
  private readonly admin: Database;

  private constructor(
    private readonly module: Type,
    private readonly options: ServiceUnderTestOptions,
    private readonly name: string,
    readonly database: ProvisionedDatabase,
    private readonly platformPrivateKey: string,
  ) {
    this.admin = new Database({
      url: database.adminUrl,
      schema: name,
      poolSize: 3,
      poolTimeoutMs: 5000,
    });
  }

  static async start(module: Type, options: ServiceUnderTestOptions): Promise<ServiceUnderTest> {
    const { gatehouse } = JSON.parse(
      readFileSync(join(options.packageDir, 'package.json'), 'utf8'),
    ) as { gatehouse: { name: string; prefixes: string[]; namespace: string } };
    const { database, platformPrivateKey } = await testDatabase({
      ...gatehouse,
      migrations: options.migrations,
      peers: options.peers,
    });
    const { name } = gatehouse;
    const test = new ServiceUnderTest(module, options, name, database, platformPrivateKey);
    try {
      for (const peer of ['auth', 'authz', 'audit'] as const) {
        if (peer === name) continue;
        await test.startAs(peer, standInOf(peer, test.peers, database.credentialsDir(peer)));
      }
      test.first = await test.startInstance();
    } catch (error) {
      await test.stop();
      throw error;
    }
    return test;
  }

  /** One more instance of the service, once it can decide about calls. */
  async startInstance(env: Record<string, string> = {}): Promise<ServiceInstance> {
    const running = await createService(this.module, {
      env: { ...this.envOf(this.name), ...this.options.env, ...env },
      packageDir: this.options.packageDir,
    });
    this.running.push(running);
    const instance = new ServiceInstance(running, this.issuer);
    await instance.ready();
    this.instances.push(instance);
    return instance;
  }

  /** The subject holds these permissions in that scope, besides what it held, and every instance knows. */
  async grant(
    subjectId: string,
    permissions: readonly string[],
    scope = 'platform',
  ): Promise<void> {
    this.peers.grant(subjectId, permissions, scope);
    await eventually(() => this.instances.every((one) => one.knows(this.peers.head)));
  }

  /** A gRPC client that is the named service, or the provisioner. */
  client<C extends GrpcContract>(
    contract: C,
    as: string,
    { grpcAddress = '' } = this.first.running,
  ): GrpcClient<C> {
    const client = createGrpcClient(contract, {
      address: grpcAddress,
      metadata: async () => ({ 'gatehouse-via': await this.via(as) }),
    });
    this.clients.push(client);
    return client;
  }

  /** `Gatehouse-Via` of that service, or of the provisioner, to this one. */
  async via(service: string): Promise<string> {
    if (service === PROVISIONER) return issueProvisionerToken(this.platformPrivateKey, this.name);
    const file = join(this.database.credentialsDir(service), 'service-key');
    const key = createPrivateKey(readFileSync(file, 'utf8'));
    const trustAnchor = createPublicKey(this.platformPrivateKey);
    return new ViaTokens(service, key, new Directory(trustAnchor), trustAnchor).issue(this.name);
  }

  /** What was published about one key, in order, once the relay has sent that many. */
  async eventsOf(key: string, count: number): Promise<CloudEvent[]> {
    return eventually(async () => {
      const events = await publishedEvents(this.admin, key);
      if (events.length < count) throw new Error(`${events.length} of ${count} events of ${key}`);
      return events;
    });
  }

  /** Publishes an event in the name of another service. */
  async publishAs(service: string, event: Parameters<typeof publishAs>[2]): Promise<void> {
    await publishAs(this.database.urlOf(service), service, event);
  }

  /** As a superuser; tables are named with their schema. */
  sql<R>(text: string, values: unknown[] = []): Promise<R[]> {
    return this.admin.query<R>(text, values);
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    for (const running of this.running.reverse()) await running.stop();
    await this.admin.close();
    await this.database.drop();
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true });
  }

  /** An instance of another service, in the registry with that manifest, that answers nobody. Stop it, or leave it. */
  startPeer(name: string, manifestDigest: string): Promise<RunningService> {
    return this.startAs(name, peerWith(manifestDigest));
  }

  private startAs(name: string, module: Type): Promise<RunningService> {
    const folder = mkdtempSync(join(tmpdir(), `gatehouse-${name}-`));
    this.folders.push(folder);
    const json = { version: '0.0.0', gatehouse: { name, prefixes: [] } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(json));
    return createService(module, { env: this.envOf(name), packageDir: folder }).then((running) => {
      this.running.push(running);
      return running;
    });
  }

  private envOf(service: string): Record<string, string> {
    const credentials = this.database.credentialsDir(service);
    return {
      ...QUICK,
      GATEHOUSE_CREDENTIALS_DIR: credentials,
      GATEHOUSE_SERVICE_KEY_FILE: join(credentials, 'service-key'),
      GATEHOUSE_TRUST_ANCHOR_FILE: join(credentials, 'trust-anchor'),
      AUTH_ISSUER: this.issuer.issuer,
    };
  }
}
