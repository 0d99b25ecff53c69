import type { Signal, Watched } from '../following/signal.ts';

/** The full state of one session, subject or client. */
export interface Revocation {
  /** From Auth's change counter; of two states of one item the higher number holds. */
  number: number;
  item: 'session' | 'subject' | 'client';
  /** The `sid`, `sub` or `client_id` of its tokens. */
  id: string;
  /** Whether its tokens are refused: the session is revoked, the subject or client disabled. */
  revoked: boolean;
  /** Of a session: when no token of it can be valid any more. */
  expiresAt?: Date;
}

/** Port: where revocations come from. See `Watched` for what `watch` promises. */
export abstract class RevocationSource implements Watched<Revocation> {
  abstract watch(after: number, signal: AbortSignal): AsyncIterable<Signal<Revocation>>;
}
