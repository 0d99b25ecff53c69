import { documentRequestHeader } from '@gatehouse/kernel';
import { applyDecorators, UseInterceptors } from '@nestjs/common';
import { IdempotencyInterceptor } from './idempotency.interceptor.ts';
import { IdempotentRoute, type IdempotentOptions } from './idempotent-route.ts';

/**
 * The route takes `Idempotency-Key`: a repeat of a request gets the first one's answer and has no effect.
 *
 * The key is kept in the route's first writing transaction, by principal, route and key, with the *result of
 * that transaction's method*; a repeat gets that result back in the method's place, and the controller makes the
 * answer from it again. So one transaction should do all of the route's work, and its result survive structured
 * cloning (plain objects, Dates, Buffers; no methods). A repeat while the first runs waits for it, at most 2 s
 * (409 IDEMPOTENCY_CONFLICT); with another body it is refused (422 IDEMPOTENCY_MISMATCH); after a rollback it
 * runs. Kept 24 h.
 */
export function Idempotent(options: IdempotentOptions = {}): MethodDecorator {
  return applyDecorators(
    IdempotentRoute(options),
    UseInterceptors(IdempotencyInterceptor),
    documented,
  );
}

function documented(_target: object, _key: PropertyKey, { value }: PropertyDescriptor): void {
  documentRequestHeader(value as object, {
    name: 'Idempotency-Key',
    required: false,
    description: 'Of your making, new for each order: a repeat within 24 h has no second effect',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  });
}
