import { type DynamicModule, Module } from '@nestjs/common';
import {
  EngineConfig,
  Health,
  Lifecycle,
  Listeners,
  Metrics,
  ServiceInfo,
} from '@gatehouse/kernel';
import { Announcement } from './announcement.ts';
import { Directory } from './directory.ts';
import { Discovery } from './discovery.ts';
import { DiscoveryConfig } from './discovery.config.ts';
import { DiscoveryMetrics } from './discovery.metrics.ts';
import { publicKeyOf, readPublicKey } from './documents/keys.ts';
import { openRegistry } from './open-registry.ts';
import { RegistryFollower } from './registry.follower.ts';
import { RegistryStore } from './registry.store.ts';
import { ViaTokens } from './via/via.tokens.ts';

/**
 * Registers this instance and finds the others. Imported once, in the service's module, beside `KernelModule`.
 *
 * Start: phase `registry` reads the directory and stops the start where it does not list this service with this
 * key; phase `register` announces the instance. Stop: phase `deregister` takes it out, phase `close` ends the rest.
 */
@Module({})
export class DiscoveryModule {
  static forService(): DynamicModule {
    return {
      module: DiscoveryModule,
      global: true,
      providers: [
        DiscoveryConfig,
        EngineConfig,
        {
          provide: DiscoveryMetrics,
          useFactory: (metrics: Metrics) => new DiscoveryMetrics(metrics),
          inject: [Metrics],
        },
        {
          provide: RegistryStore,
          useFactory: (info: ServiceInfo) => openRegistry(info.name),
          inject: [ServiceInfo],
        },
        {
          provide: Directory,
          useFactory: (config: DiscoveryConfig) => new Directory(config.GATEHOUSE_TRUST_ANCHOR),
          inject: [DiscoveryConfig],
        },
        {
          provide: Discovery,
          useFactory: (directory: Directory) => new Discovery(directory),
          inject: [Directory],
        },
        {
          provide: ViaTokens,
          useFactory: (info: ServiceInfo, config: DiscoveryConfig, directory: Directory) =>
            new ViaTokens(
              info.name,
              config.GATEHOUSE_SERVICE_KEY,
              directory,
              config.GATEHOUSE_TRUST_ANCHOR,
            ),
          inject: [ServiceInfo, DiscoveryConfig, Directory],
        },
        {
          provide: Announcement,
          useFactory: announcementOf,
          inject: [
            RegistryStore,
            ServiceInfo,
            Listeners,
            DiscoveryConfig,
            DiscoveryMetrics,
            Lifecycle,
          ],
        },
        {
          provide: RegistryFollower,
          useFactory: followerOf,
          inject: [
            RegistryStore,
            Directory,
            Discovery,
            DiscoveryMetrics,
            DiscoveryConfig,
            EngineConfig,
            ServiceInfo,
            Lifecycle,
            Health,
          ],
        },
      ],
      exports: [Directory, Discovery, ViaTokens, Announcement, RegistryStore],
    };
  }
}

function announcementOf(
  store: RegistryStore,
  info: ServiceInfo,
  listeners: Listeners,
  config: DiscoveryConfig,
  metrics: DiscoveryMetrics,
  lifecycle: Lifecycle,
): Announcement {
  const announcement = new Announcement(
    store,
    {
      service: info.name,
      instanceId: info.instanceId,
      version: info.version,
      key: config.GATEHOUSE_SERVICE_KEY,
      addresses: () => ({
        httpUrl: listeners.http?.url,
        grpcAddress: listeners.grpc?.url,
        adminUrl: listeners.admin?.url,
      }),
    },
    metrics,
  );
  lifecycle.onStart('register', 'announce this instance', () => announcement.start());
  lifecycle.onStop('deregister', 'leave the registry', () => announcement.stop());
  return announcement;
}

function followerOf(
  store: RegistryStore,
  directory: Directory,
  discovery: Discovery,
  metrics: DiscoveryMetrics,
  config: DiscoveryConfig,
  engines: EngineConfig,
  info: ServiceInfo,
  lifecycle: Lifecycle,
  health: Health,
): RegistryFollower {
  const follower = new RegistryFollower(
    store,
    directory,
    discovery,
    metrics,
    config.DISCOVERY_POLL_SECONDS * 1000,
    engines.ENGINE_WAIT_SECONDS * 1000,
  );
  health.addDependency(store.engine.engine.toLowerCase(), () => follower.assertReachable());
  const ownKey = readPublicKey(publicKeyOf(config.GATEHOUSE_SERVICE_KEY));
  lifecycle.onStart('registry', 'read the directory', () =>
    follower.start(() => {
      const own = directory.service(info.name);
      if (!own)
        throw new Error(
          directory.serial === 0
            ? 'there is no directory that the trust anchor signed; run `gatehouse provision`'
            : `the directory (serial ${directory.serial}) does not list service "${info.name}"; run \`gatehouse provision\``,
        );
      if (!own.publicKey.equals(ownKey))
        throw new Error(
          `GATEHOUSE_SERVICE_KEY is not the key that the directory lists for "${info.name}"`,
        );
    }),
  );
  lifecycle.onStop('close', 'stop following the registry', async () => {
    await follower.stop();
    await store.close();
  });
  return follower;
}
