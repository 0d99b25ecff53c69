import type {
  Revocation as RevocationMessage,
  WatchRevocationsResponse,
} from '@gatehouse/contracts-auth';
import { toTimestamp } from '@gatehouse/contracts-platform';
import type { Revocation, Signal } from '@gatehouse/guards';

export function revocationMessage(revocation: Revocation): RevocationMessage {
  const { number, item, id, revoked, expiresAt } = revocation;
  switch (item) {
    case 'session':
      return {
        number,
        session: {
          sessionId: id,
          revoked,
          ...(expiresAt === undefined ? {} : { expiresAt: toTimestamp(expiresAt) }),
        },
      };
    case 'subject':
      return { number, subject: { subjectId: id, disabled: revoked } };
    case 'client':
      return { number, client: { clientId: id, disabled: revoked } };
  }
}

export function watchMessage(signal: Signal<Revocation>): WatchRevocationsResponse {
  return 'head' in signal
    ? { heartbeat: { head: signal.head } }
    : { revocation: revocationMessage(signal.change) };
}
