/**
 * What went wrong, in terms no transport owns. Kernel maps a kind to an HTTP status, a gRPC code and a dead letter;
 * the status in the comment is what RFC 9110 readers will see.
 */
export const ERROR_KINDS = [
  'invalid-argument', // 400
  'unauthenticated', // 401
  'permission-denied', // 403
  'not-found', // 404
  'method-not-allowed', // 405
  'not-acceptable', // 406
  'conflict', // 409
  'already-exists', // 409
  'failed-precondition', // 409
  'precondition-failed', // 412, a condition in the request's header
  'payload-too-large', // 413
  'unsupported-media-type', // 415
  'unprocessable', // 422
  'precondition-required', // 428
  'resource-exhausted', // 429
  'internal', // 500
  'bad-gateway', // 502
  'unavailable', // 503
  'deadline-exceeded', // 504
] as const;

export type ErrorKind = (typeof ERROR_KINDS)[number];

/** Whether a string read from the wire names a kind this process knows. */
export function isErrorKind(value: unknown): value is ErrorKind {
  return (ERROR_KINDS as readonly unknown[]).includes(value);
}
