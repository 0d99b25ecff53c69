import { ValidationFailed } from '@gatehouse/contracts-platform';
import { requestContext } from '@gatehouse/kernel';

/** One request's wish to be done once. */
export interface IdempotencyClaim {
  principal: string;
  /** `POST /v1/orders`: method and template, not the path itself. */
  route: string;
  key: string;
  /** Everything the request says: a repeat must say the same. */
  request: string;
  secret: boolean;
  /**
   * pending until a transaction took it up; then whether that ran or answered from the store. over: the route has ended
   * without such a transaction, and what others write down of that takes nothing up.
   */
  state: 'pending' | 'ran' | 'replayed' | 'over';
}

const CLAIM = Symbol('idempotency claim');

export function setClaim(claim: IdempotencyClaim): void {
  requestContext.require().locals.set(CLAIM, claim);
}

export function currentClaim(): IdempotencyClaim | undefined {
  return requestContext.current()?.locals.get(CLAIM) as IdempotencyClaim | undefined;
}

/** Whether the answer in hand is an earlier request's, and nothing was done for this one. */
export function isReplayedAnswer(): boolean {
  return currentClaim()?.state === 'replayed';
}

/** The field's value; a string of structured fields (RFC 9651) and the bare form are the same key. */
export function parseIdempotencyKey(field: string): string {
  const key = /^"(.*)"$/.exec(field.trim())?.[1] ?? field.trim();
  if (!/^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/.test(key)) {
    throw new ValidationFailed(undefined, {
      violations: [
        {
          pointer: '/header/idempotency-key',
          message: 'must be 1 to 255 visible ASCII characters without quotes and backslashes',
        },
      ],
    });
  }
  return key;
}
