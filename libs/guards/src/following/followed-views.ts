import { Lifecycle } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { KeySet } from '../authentication/key-set.ts';
import { RevocationView } from '../authentication/revocation-view.ts';
import { GrantView } from '../authorization/grant-view.ts';
import { GuardMetrics } from '../metrics/guard-metrics.ts';

/**
 * Follows keys, revocations and grants while the process runs. The start does not wait for them: ready never depends on
 * a peer, and until they are there calls that need them are answered 503. (The gateway waits by `whenReady`.)
 */
@Injectable()
export class FollowedViews {
  constructor(
    keys: KeySet,
    revocations: RevocationView,
    grants: GrantView,
    metrics: GuardMetrics,
    lifecycle: Lifecycle,
  ) {
    const followed = [keys, revocations, grants];
    lifecycle.onStart('transports', 'follow keys, revocations and grants', () =>
      followed.forEach((view) => view.start()),
    );
    lifecycle.onStop('close', 'stop following', () => followed.forEach((view) => view.stop()));
    metrics.watch(() => ({
      revocations: { staleness: revocations.staleness, items: revocations.size },
      grants: { staleness: grants.staleness, items: grants.size.subjects },
    }));
  }
}
