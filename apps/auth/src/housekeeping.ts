import { Lifecycle } from '@gatehouse/kernel';
import { Injectable, Logger } from '@nestjs/common';

import { GuessThrottle } from './credentials/guess-throttle.ts';
import { KnownNetworks } from './credentials/known-networks.ts';
import { RevocationChanges } from './revocations/revocation-changes.ts';
import { SessionStore } from './sessions/session.store.ts';

const EVERY_MS = 600_000;
/** Expired sessions are kept for a day, for those who ask what happened. */
const KEPT_MS = 24 * 3_600_000;
const BATCH = 1000;

/** Deletes what nobody asks for any more. */
@Injectable()
export class Housekeeping {
  private readonly logger = new Logger(Housekeeping.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly sessions: SessionStore,
    private readonly throttle: GuessThrottle,
    private readonly networks: KnownNetworks,
    private readonly changes: RevocationChanges,
    lifecycle: Lifecycle,
  ) {
    lifecycle.onStart('ready', 'housekeeping', () => {
      this.timer = setInterval(() => void this.run(), EVERY_MS).unref();
    });
    lifecycle.onStop('close', 'housekeeping', () => clearInterval(this.timer));
  }

  async run(): Promise<void> {
    try {
      await this.throttle.prune();
      await this.networks.prune();
      await this.changes.prune();
      const before = new Date(Date.now() - KEPT_MS);
      while ((await this.sessions.deleteExpiredBefore(before, BATCH)) === BATCH);
    } catch (error) {
      this.logger.warn({ err: error }, 'housekeeping failed; trying again later');
    }
  }
}
