import { type Revocation, RevocationSource, type Signal } from '@gatehouse/guards';
import { type Change, ChangeFeed } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { CLIENT, SESSION, SUBJECT } from './revocation-changes.ts';

const MAX_LIST = 1000;
const BATCH = 500;

/** Revocations as followers get them, from Auth's own table: behind `WatchRevocations`, and for Auth's own guards. */
@Injectable()
export class RevocationFeed extends RevocationSource {
  constructor(private readonly feed: ChangeFeed) {
    super();
  }

  override async *watch(after: number, signal: AbortSignal): AsyncGenerator<Signal<Revocation>> {
    for await (const { changes, head } of this.feed.tail(after, { signal, limit: BATCH })) {
      for (const change of changes.map(toRevocation)) if (!isOver(change)) yield { change };
      // A heartbeat says that nothing is pending, which a full batch does not.
      if (changes.length < BATCH) yield { head };
    }
  }

  /** Those numbered above `after`, oldest first, and the head they were read at. */
  async list(after: number, limit: number): Promise<{ revocations: Revocation[]; head: number }> {
    const head = await this.feed.head();
    const changes = await this.feed.since(
      after,
      Math.min(limit === 0 ? MAX_LIST : limit, MAX_LIST),
    );
    return { revocations: changes.map(toRevocation), head };
  }
}

/** No token that it concerns can be valid any more. */
function isOver({ expiresAt }: Revocation): boolean {
  return expiresAt !== undefined && expiresAt.getTime() <= Date.now();
}

const ITEMS = { [SESSION]: 'session', [SUBJECT]: 'subject', [CLIENT]: 'client' } as const;

function toRevocation({ kind, id, number, state }: Change): Revocation {
  const { revoked, expires_at: expiresAt } = state as { revoked: boolean; expires_at?: string };
  return {
    number,
    item: ITEMS[kind as keyof typeof ITEMS],
    id,
    revoked,
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
  };
}
