import { Lifecycle } from '@gatehouse/kernel';
import { ChangeFeed } from '@gatehouse/persistence';
import { Injectable, Logger } from '@nestjs/common';

import type { Role } from '../roles/role.entity.ts';
import { toState } from '../roles/role.mapping.ts';

export const ROLE = 'role';
export const SUBJECT = 'subject';

/**
 * A follower that heard nothing for ten minutes asks for everything anew, so a change may be forgotten long after that.
 */
const KEPT_MS = 24 * 3_600_000;
const PRUNE_EVERY_MS = 600_000;

/** A binding as followers hold it. */
export interface BindingState {
  id: string;
  roleId: string;
  scope: string;
}

/** Tells the edge, within the transaction of a change, what is so now. */
@Injectable()
export class GrantChanges {
  private readonly logger = new Logger(GrantChanges.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly feed: ChangeFeed,
    lifecycle: Lifecycle,
  ) {
    lifecycle.onStart('ready', 'prune old changes', () => {
      this.timer = setInterval(() => void this.prune(), PRUNE_EVERY_MS).unref();
    });
    lifecycle.onStop('close', 'prune old changes', () => clearInterval(this.timer));
  }

  /** The caller holds the role's lock. */
  roleChanged(role: Role, deleted = false): Promise<void> {
    return this.feed.append(ROLE, role.id, toState(role, deleted), expiry());
  }

  /** The caller holds the subject's lock. */
  subjectChanged(subjectId: string, bindings: readonly BindingState[]): Promise<void> {
    return this.feed.append(SUBJECT, subjectId, { bindings }, expiry());
  }

  private async prune(): Promise<void> {
    try {
      for (const kind of [ROLE, SUBJECT]) await this.feed.prune(kind, new Date());
    } catch (error) {
      this.logger.warn({ err: error }, 'old changes could not be pruned; trying again later');
    }
  }
}

const expiry = (): Date => new Date(Date.now() + KEPT_MS);
