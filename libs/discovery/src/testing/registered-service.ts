import { randomUUID } from 'node:crypto';
import { Metrics } from '@gatehouse/kernel';
import { Announcement } from '../announcement.ts';
import { Directory } from '../directory.ts';
import { Discovery } from '../discovery.ts';
import { DiscoveryMetrics } from '../discovery.metrics.ts';
import { readPrivateKey } from '../documents/keys.ts';
import { RegistryFollower } from '../registry.follower.ts';
import type { RegistryStore } from '../registry.store.ts';
import type { TestPlatform } from './test-platform.ts';

/** What `DiscoveryModule` puts together, for one instance of a service, without the service. */
export class RegisteredService {
  readonly instanceId = randomUUID();
  readonly directory: Directory;
  readonly discovery: Discovery;
  readonly announcement: Announcement;
  private readonly follower: RegistryFollower;

  constructor(
    platform: TestPlatform,
    readonly service: string,
    readonly store: RegistryStore,
    { pollMs = 1_000, waitMs = 10_000, port = 3000 } = {},
  ) {
    const metrics = new DiscoveryMetrics(new Metrics());
    this.directory = new Directory(platform.trustAnchor);
    this.discovery = new Discovery(this.directory);
    this.follower = new RegistryFollower(
      store,
      this.directory,
      this.discovery,
      metrics,
      pollMs,
      waitMs,
    );
    this.announcement = new Announcement(
      store,
      {
        service,
        instanceId: this.instanceId,
        version: '1.2.3',
        key: readPrivateKey(platform.keyOf(service).privateKey),
        addresses: () => ({ httpUrl: `http://127.0.0.1:${port}` }),
      },
      metrics,
    );
  }

  async start(): Promise<this> {
    await this.follower.start();
    await this.announcement.start();
    return this;
  }

  /** Follows without being announced. */
  async watch(): Promise<this> {
    await this.follower.start();
    return this;
  }

  idsOf(service: string): string[] {
    return this.discovery.find(service).map(({ instanceId }) => instanceId);
  }

  async stop(): Promise<void> {
    await this.announcement.stop();
    await this.follower.stop();
    await this.store.close();
  }
}
