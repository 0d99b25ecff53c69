import { type ClientOf, InjectClient } from '@gatehouse/clients';
import { authV1, type Revocation as RevocationMessage } from '@gatehouse/contracts-auth';
import { fromTimestamp } from '@gatehouse/contracts-platform';
import { Injectable } from '@nestjs/common';

import type { Signal } from '../following/signal.ts';
import { type Revocation, RevocationSource } from './revocation.source.ts';

/** Follows `Auth.WatchRevocations`. */
@Injectable()
export class GrpcRevocationSource extends RevocationSource {
  constructor(@InjectClient(authV1) private readonly auth: ClientOf<typeof authV1>) {
    super();
  }

  override async *watch(after: number, signal: AbortSignal): AsyncGenerator<Signal<Revocation>> {
    for await (const { revocation, heartbeat } of this.auth.watchRevocations(
      { after },
      { as: 'service', signal },
    )) {
      if (heartbeat != null) yield { head: heartbeat.head };
      else if (revocation != null) yield* changeOf(revocation);
    }
  }
}

/** An item of a kind that this process does not know concerns no token that it accepts. */
function* changeOf({
  number,
  session,
  subject,
  client,
}: RevocationMessage): Generator<{ change: Revocation }> {
  if (session != null) {
    const expires =
      session.expiresAt == null ? {} : { expiresAt: fromTimestamp(session.expiresAt) };
    yield {
      change: {
        number,
        item: 'session',
        id: session.sessionId,
        revoked: session.revoked,
        ...expires,
      },
    };
  } else if (subject != null) {
    yield { change: { number, item: 'subject', id: subject.subjectId, revoked: subject.disabled } };
  } else if (client != null) {
    yield { change: { number, item: 'client', id: client.clientId, revoked: client.disabled } };
  }
}
