import type { GrpcContract } from '@gatehouse/contracts-platform';

export interface CallOptions {
  /**
   * Milliseconds until the call is given up, retries included. Default 2000 for a single answer, none for a
   * stream; always shortened to what the work in hand has left.
   */
  deadlineMs?: number;
  /**
   * `caller` passes the user's access token along, and is an error where there is none; `service` calls in the
   * service's own name alone. Default: `caller` where the work in hand has a token.
   */
  as?: 'caller' | 'service';
  /** Gives the call up: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * A contract as its callers see it. A single answer is a Promise; a server stream is an AsyncIterable that begins
 * with the first `next` and is cancelled where the loop over it ends.
 *
 * Both reject with the class that the server threw where the contract knows its code, else `RemoteError`;
 * `ServiceUnavailable` where nobody answered, `DeadlineExceeded` where time ran out.
 */
export type ClientOf<C> =
  C extends GrpcContract<infer Service>
    ? {
        readonly [K in keyof Service]: Service[K] extends (request: infer Q) => infer Answer
          ? (request: Q, options?: CallOptions) => Answer
          : never;
      }
    : never;

/** What is sent as gRPC metadata with one call; undefined members are left out. */
export type CallHeaders = Readonly<Record<string, string | undefined>>;

/** Told of each finished call: gRPC status code and milliseconds. */
export type CallObserver = (method: string, code: number, milliseconds: number) => void;
