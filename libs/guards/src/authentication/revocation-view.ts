import type { Principal } from '@gatehouse/kernel';

import { FollowedView } from '../following/followed-view.ts';
import { Follower, type FollowerOptions } from '../following/follower.ts';
import type { Revocation, RevocationSource } from './revocation.source.ts';

/** Which part of a token is revoked. */
export type RevokedPart = 'no' | 'session' | 'subject' | 'client';

/** Tokens may outlive a session's `expiresAt` by as much as clocks differ. */
const SKEW_MS = 120_000;

/**
 * What is revoked now, followed from Auth within a second. It holds only what is in force: a session's entry goes when
 * no token of it can be valid any more, a subject's or client's when it is enabled again.
 */
export class RevocationView extends FollowedView<Revocation> {
  private readonly items = {
    session: new Map<string, Revocation>(),
    subject: new Map<string, Revocation>(),
    client: new Map<string, Revocation>(),
  };
  protected readonly follower: Follower<Revocation>;
  private nextPrune = 0;
  /** Good tokens that were refused because a part of them is revoked. */
  refusals = 0;

  constructor(source: RevocationSource, options: Partial<FollowerOptions> = {}) {
    super();
    this.follower = new Follower(
      source,
      {
        apply: (revocation) => this.apply(revocation),
        settled: (head) => this.prune(head),
        reset: () => Object.values(this.items).forEach((items) => items.clear()),
      },
      { name: 'revocations', ...options },
    );
  }

  /** Which part of the caller's token is revoked, or `no`. @throws ServiceUnavailable while that is not known */
  isRevoked(token: { principal: Pick<Principal, 'id' | 'sessionId' | 'clientId'> }): RevokedPart {
    this.follower.assertReady();
    const { principal } = token;
    if (this.items.session.get(principal.sessionId)?.revoked === true)
      return this.refused('session');
    if (this.items.subject.get(principal.id)?.revoked === true) return this.refused('subject');
    if (this.items.client.get(principal.clientId)?.revoked === true) return this.refused('client');
    return 'no';
  }

  private refused(part: RevokedPart): RevokedPart {
    this.refusals += 1;
    return part;
  }

  /** How many items are held, for metrics. */
  get size(): number {
    return this.items.session.size + this.items.subject.size + this.items.client.size;
  }

  private apply(revocation: Revocation): void {
    const items = this.items[revocation.item];
    const held = items.get(revocation.id);
    if (held === undefined || held.number < revocation.number) items.set(revocation.id, revocation);
  }

  /** An item that is not in force and not above the head is not needed to tell older states from newer ones either. */
  private prune(head: number): void {
    const now = Date.now();
    if (now < this.nextPrune) return;
    this.nextPrune = now + 10_000;
    for (const items of Object.values(this.items)) {
      for (const [id, { revoked, number, expiresAt }] of items) {
        const expired = expiresAt !== undefined && expiresAt.getTime() + SKEW_MS < now;
        if (number <= head && (!revoked || expired)) items.delete(id);
      }
    }
  }
}
