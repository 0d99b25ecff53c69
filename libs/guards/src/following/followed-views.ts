import { Discovery } from '@gatehouse/discovery';
import { Lifecycle } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { KeySet } from '../authentication/key-set.ts';
import { RevocationView } from '../authentication/revocation-view.ts';
import { GrantView } from '../authorization/grant-view.ts';
import { GuardMetrics } from '../metrics/guard-metrics.ts';

/** How long a start waits at most for what peers that are there have to say. */
const FIRST_SNAPSHOTS_MS = 2_000;

/**
 * Follows keys, revocations and grants while the process runs. Until they are there, calls that need them are answered
 * 503; so an instance that joins a running platform waits for them before it is announced. Ready never depends on a
 * peer all the same: where no instance of Auth or Authz is known nothing is waited for, else 2 s at most. (The gateway
 * waits by `whenReady`.)
 */
@Injectable()
export class FollowedViews {
  constructor(
    keys: KeySet,
    revocations: RevocationView,
    grants: GrantView,
    discovery: Discovery,
    metrics: GuardMetrics,
    lifecycle: Lifecycle,
  ) {
    const followed = [keys, revocations, grants];
    lifecycle.onStart('transports', 'follow keys, revocations and grants', () =>
      followed.forEach((view) => view.start()),
    );
    lifecycle.onStart('transports', 'first keys, revocations and grants', () => {
      const isThere = (service: string): boolean => discovery.find(service).length > 0;
      return withinBound([
        ...(isThere('auth') ? [keys.whenReady(), revocations.whenReady()] : []),
        ...(isThere('authz') ? [grants.whenReady()] : []),
      ]);
    });
    lifecycle.onStop('close', 'stop following', () => followed.forEach((view) => view.stop()));
    metrics.watch(() => ({
      revocations: { staleness: revocations.staleness, items: revocations.size },
      grants: { staleness: grants.staleness, items: grants.size.subjects },
    }));
  }
}

async function withinBound(snapshots: readonly Promise<void>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FIRST_SNAPSHOTS_MS);
  });
  await Promise.race([Promise.all(snapshots), bound]);
  clearTimeout(timer);
}
