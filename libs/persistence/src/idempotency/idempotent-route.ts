import { Reflector } from '@nestjs/core';

export interface IdempotentOptions {
  /** The answer holds a secret (a token, a password): it is kept encrypted under DATA_ENCRYPTION_KEY. */
  secret?: boolean;
}

/** Metadata of a route that takes `Idempotency-Key`. */
export const IdempotentRoute = Reflector.createDecorator<IdempotentOptions>();
