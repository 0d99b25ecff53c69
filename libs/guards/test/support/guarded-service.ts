import { createPrivateKey } from 'node:crypto';

import type { GrpcContract } from '@gatehouse/contracts-platform';
import { Announcement, Directory, Discovery, ViaTokens } from '@gatehouse/discovery';
import { TestPlatform } from '@gatehouse/discovery/testing';
import { createService, KernelModule, type RunningService } from '@gatehouse/kernel';
import { type DynamicModule, Module, type ModuleMetadata, type Type } from '@nestjs/common';

import {
  GrantView,
  GuardsModule,
  type GuardsOptions,
  KeySet,
  RevocationView,
  signKeySet,
} from '../../src/index.ts';
import { TestIssuer } from '../../src/testing/index.ts';
import { type CoreInstance, CoreState, packageOf, QUICK, startCore } from './fake-core.ts';

export const SERVICE = 'orders';

@Module({})
class TestDiscoveryModule {}

/** A platform with stand-ins for the core services, and a service `orders` under test in it. */
export class GuardedService {
  readonly platform = new TestPlatform();
  readonly issuer = new TestIssuer();
  readonly core = new CoreState();
  readonly announced: { bytes: Uint8Array; digest: string }[] = [];
  /** The instances of the core services. */
  readonly instances: CoreInstance[] = [];
  private readonly coreServices: RunningService[] = [];
  private service!: RunningService;
  private readonly vias = new Map<string, ViaTokens>();

  static async start(
    metadata: ModuleMetadata,
    options: {
      grpc?: GrpcContract[];
      guards?: GuardsOptions;
      env?: Record<string, string>;
      wait?: boolean;
      /** How many instances of the core services there are; default 1. */
      instances?: number;
      /** Before the service starts. */
      core?: (state: CoreState) => void;
    } = {},
  ): Promise<GuardedService> {
    const guarded = new GuardedService();
    for (let i = 0; i < (options.instances ?? 1); i += 1) await guarded.startCore();
    options.core?.(guarded.core);
    try {
      await guarded.startService(metadata, options);
      if (options.wait !== false) await guarded.ready();
    } catch (error) {
      await guarded.stopCore();
      throw error;
    }
    return guarded;
  }

  get url(): string {
    return this.service.httpUrl;
  }

  get adminUrl(): string {
    return this.service.adminUrl;
  }

  get grpcAddress(): string {
    return this.service.grpcAddress ?? '';
  }

  get<T>(type: Type<T> | (abstract new (...args: never[]) => T)): T {
    return this.service.app.get<T>(type, { strict: false });
  }

  async ready(): Promise<void> {
    for (const view of [this.get(KeySet), this.get(RevocationView), this.get(GrantView)])
      await view.whenReady();
  }

  /** `Gatehouse-Via` of a service to this one. */
  async via(service: string, audience = SERVICE): Promise<string> {
    let tokens = this.vias.get(service);
    if (tokens === undefined) {
      const key = createPrivateKey(this.platform.keyOf(service).privateKey);
      tokens = new ViaTokens(service, key, await this.directory(), this.platform.trustAnchor);
      this.vias.set(service, tokens);
    }
    return tokens.issue(audience);
  }

  /** The provisioner's. */
  get platformPrivateKey(): string {
    return this.platform.platformKey.privateKey;
  }

  async fetch(
    path: string,
    init: RequestInit & { token?: string; via?: string } = {},
  ): Promise<Response> {
    const { token, via, headers, ...rest } = init;
    return fetch(`${this.url}${path}`, {
      ...rest,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(via === undefined ? {} : { 'gatehouse-via': via }),
        ...(headers as Record<string, string> | undefined),
      },
    });
  }

  async stop(): Promise<void> {
    await this.service.stop();
    await this.stopCore();
  }

  private async stopCore(): Promise<void> {
    for (const core of this.coreServices) await core.stop();
  }

  private async directory(): Promise<Directory> {
    const directory = new Directory(this.platform.trustAnchor);
    await directory.accept(
      await this.platform.directory(1, ['auth', 'authz', 'audit', 'identity', 'gateway', SERVICE]),
    );
    return directory;
  }

  private async startCore(): Promise<void> {
    const key = createPrivateKey(this.platform.keyOf('auth').privateKey);
    this.core.signedKeySet = () => signKeySet(this.issuer.document(), key);
    const instance = { silent: false };
    this.instances.push(instance);
    this.coreServices.push(await startCore(this.core, instance));
  }

  private async startService(
    metadata: ModuleMetadata,
    {
      grpc = [],
      guards = {},
      env = {},
    }: { grpc?: GrpcContract[]; guards?: GuardsOptions; env?: Record<string, string> },
  ): Promise<void> {
    @Module({
      ...metadata,
      imports: [
        KernelModule.forService({ grpc }),
        await this.discovery(),
        ...(metadata.imports ?? []),
        GuardsModule.forService({ audit: 'buffered', ...guards }),
      ],
    })
    class ServiceModule {}
    this.service = await createService(ServiceModule, {
      env: { ...QUICK, AUTH_ISSUER: this.issuer.issuer, ...env },
      packageDir: packageOf(SERVICE),
    });
  }

  /** Discovery with a directory and addresses given by the test, and no registry behind it. */
  private async discovery(): Promise<DynamicModule> {
    const directory = await this.directory();
    const key = createPrivateKey(this.platform.keyOf(SERVICE).privateKey);
    const instances = this.coreServices.flatMap(({ grpcAddress }, index) =>
      ['auth', 'authz', 'audit'].map((service) => ({
        service,
        instanceId: `${service}-${index}`,
        version: '1.0.0',
        grpcAddress,
        signedAt: new Date(),
        expiresAt: new Date(Date.now() + 3_600_000),
      })),
    );
    const discovery = {
      find: (service: string) => instances.filter((instance) => instance.service === service),
      instances: () => instances,
      rejected: () => [],
      watch: () => () => undefined,
    };
    const providers = [
      { provide: Directory, useValue: directory },
      { provide: Discovery, useValue: discovery },
      {
        provide: ViaTokens,
        useValue: new ViaTokens(SERVICE, key, directory, this.platform.trustAnchor),
      },
      {
        provide: Announcement,
        useValue: {
          set: (manifest: GuardedService['announced'][number]) => this.announced.push(manifest),
        },
      },
    ];
    return {
      module: TestDiscoveryModule,
      global: true,
      providers,
      exports: [Directory, Discovery, ViaTokens, Announcement],
    };
  }
}
