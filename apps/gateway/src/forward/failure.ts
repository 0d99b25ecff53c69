import {
  PayloadTooLarge,
  ServiceUnavailable,
  UpstreamUnavailable,
  ValidationFailed,
} from '@gatehouse/contracts-platform';
import type { PlatformError } from '@gatehouse/contracts-platform';

/**
 * Whose fault a failed attempt is:
 * - `unsent`: no byte reached the instance, so that anything may be sent again elsewhere
 * - `connect`: likewise, and the instance takes no connections
 * - `broken`: the instance had the request, or part of it
 * - `client`: the request itself cannot be sent
 */
export type FailureKind = 'unsent' | 'connect' | 'broken' | 'client';

const CONNECT_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** @param sent whether undici had begun to write the request */
export function failureKind(error: Error & { code?: string }, sent: boolean): FailureKind {
  if (error instanceof PayloadTooLarge || error.code === 'UND_ERR_INVALID_ARG') return 'client';
  if (sent) return 'broken';
  return CONNECT_CODES.has(error.code ?? '') ? 'connect' : 'unsent';
}

/**
 * What the client is told when no other attempt is made: 503 where no instance has seen the request, so that it may be
 * sent again whatever it does; 502 where one has, and did not answer properly.
 */
export function failureAnswer(kind: FailureKind, error: Error): PlatformError {
  if (error instanceof PayloadTooLarge) return error;
  if (kind === 'client') return new ValidationFailed('A header cannot be passed on');
  return kind === 'broken'
    ? new UpstreamUnavailable(undefined, { cause: error })
    : new ServiceUnavailable(undefined, { cause: error, retryAfterSeconds: 1 });
}
