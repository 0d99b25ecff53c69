import { Discovery } from '@gatehouse/discovery';
import { Lifecycle } from '@gatehouse/kernel';
import { Injectable, Logger } from '@nestjs/common';

import { Declarations } from './declarations.ts';

/** The last instance of a version may go long after the next version registered: what it alone declared is stale then. */
@Injectable()
export class StaleWatch {
  private readonly logger = new Logger(StaleWatch.name);
  /** Manifests seen alive, by service. */
  private readonly seen = new Map<string, string>();
  private unwatch: (() => void) | undefined;
  private working: Promise<void> = Promise.resolve();

  constructor(
    private readonly declarations: Declarations,
    private readonly discovery: Discovery,
    lifecycle: Lifecycle,
  ) {
    lifecycle.onStart('ready', 'watch which manifests live', () => {
      this.unwatch = discovery.watch(() => this.look());
      this.look();
    });
    lifecycle.onStop('unready', 'watch which manifests live', () => this.unwatch?.());
    lifecycle.onStop('flush', 'watch which manifests live', () => this.working);
  }

  private look(): void {
    for (const service of new Set(this.discovery.instances().map((instance) => instance.service))) {
      const live = [...new Set(this.declarations.live(service))].sort().join(' ');
      if (this.seen.get(service) === live) continue;
      this.seen.set(service, live);
      this.working = this.working.then(() => this.judge(service));
    }
  }

  private async judge(service: string): Promise<void> {
    try {
      await this.declarations.judge(service);
    } catch (error) {
      // Judged again at the next change, and whenever the service registers.
      this.seen.delete(service);
      this.logger.warn({ err: error }, `the permissions of ${service} could not be judged`);
    }
  }
}
