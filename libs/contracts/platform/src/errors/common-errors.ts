import { ErrorRegistry } from './error-registry.ts';
import { PlatformError } from './platform-error.ts';

export class ValidationFailed extends PlatformError {
  static override readonly code = 'VALIDATION_FAILED';
  static override readonly kind = 'invalid-argument';
  static override readonly title = 'The request is not valid';
}

export class MalformedJson extends PlatformError {
  static override readonly code = 'MALFORMED_JSON';
  static override readonly kind = 'invalid-argument';
  static override readonly title = 'The body is not JSON that can be read';
}

/** A path that could be read in two ways is refused, never guessed. */
export class NotCanonicalPath extends PlatformError {
  static override readonly code = 'NOT_CANONICAL_PATH';
  static override readonly kind = 'invalid-argument';
  static override readonly title = 'The path is not in its canonical form';
}

export class InvalidPageToken extends PlatformError {
  static override readonly code = 'INVALID_PAGE_TOKEN';
  static override readonly kind = 'invalid-argument';
  static override readonly title = 'The page token does not belong to this query';
}

export class NotAuthenticated extends PlatformError {
  static override readonly code = 'UNAUTHENTICATED';
  static override readonly kind = 'unauthenticated';
  static override readonly title = 'A valid credential is required';
}

/** Told apart from `UNAUTHENTICATED` so that a client knows to refresh. */
export class TokenExpired extends PlatformError {
  static override readonly code = 'TOKEN_EXPIRED';
  static override readonly kind = 'unauthenticated';
  static override readonly title = 'The access token has expired';
}

export class PermissionDenied extends PlatformError {
  static override readonly code = 'PERMISSION_DENIED';
  static override readonly kind = 'permission-denied';
  static override readonly title = 'You may not do this';
}

/** The calling service is not among `@AllowedClients`. */
export class CallerNotAllowed extends PlatformError {
  static override readonly code = 'CALLER_NOT_ALLOWED';
  static override readonly kind = 'permission-denied';
  static override readonly title = 'This service may not make this call';
}

export class RouteNotFound extends PlatformError {
  static override readonly code = 'ROUTE_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'There is no such route';
}

export class DeadLetterNotFound extends PlatformError {
  static override readonly code = 'DEAD_LETTER_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'There is no such dead letter';
}

/** `metadata.allow` lists the methods it takes, as in the `Allow` field. */
export class MethodNotAllowed extends PlatformError {
  static override readonly code = 'METHOD_NOT_ALLOWED';
  static override readonly kind = 'method-not-allowed';
  static override readonly title = 'The route does not take this method';
}

export class NotAcceptable extends PlatformError {
  static override readonly code = 'NOT_ACCEPTABLE';
  static override readonly kind = 'not-acceptable';
  static override readonly title = 'No representation is acceptable to the client';
}

export class IdempotencyConflict extends PlatformError {
  static override readonly code = 'IDEMPOTENCY_CONFLICT';
  static override readonly kind = 'conflict';
  static override readonly title = 'The first request with this Idempotency-Key is still running';
}

export class PreconditionFailed extends PlatformError {
  static override readonly code = 'PRECONDITION_FAILED';
  static override readonly kind = 'precondition-failed';
  static override readonly title = 'The resource has changed since it was read';
}

export class PayloadTooLarge extends PlatformError {
  static override readonly code = 'PAYLOAD_TOO_LARGE';
  static override readonly kind = 'payload-too-large';
  static override readonly title = 'The body is larger than this route takes';
}

export class UnsupportedMediaType extends PlatformError {
  static override readonly code = 'UNSUPPORTED_MEDIA_TYPE';
  static override readonly kind = 'unsupported-media-type';
  static override readonly title = 'The route does not take this media type';
}

export class IdempotencyMismatch extends PlatformError {
  static override readonly code = 'IDEMPOTENCY_MISMATCH';
  static override readonly kind = 'unprocessable';
  static override readonly title = 'This Idempotency-Key was used with another request';
}

export class PreconditionRequired extends PlatformError {
  static override readonly code = 'PRECONDITION_REQUIRED';
  static override readonly kind = 'precondition-required';
  static override readonly title = 'If-Match is required here';
}

export class RateLimited extends PlatformError {
  static override readonly code = 'RATE_LIMITED';
  static override readonly kind = 'resource-exhausted';
  static override readonly title = 'Too many requests';
}

export class InternalError extends PlatformError {
  static override readonly code = 'INTERNAL_ERROR';
  static override readonly kind = 'internal';
  static override readonly title = 'Something went wrong on our side';
}

export class UpstreamUnavailable extends PlatformError {
  static override readonly code = 'UPSTREAM_UNAVAILABLE';
  static override readonly kind = 'bad-gateway';
  static override readonly title = 'The service behind this route did not answer properly';
}

export class ServiceUnavailable extends PlatformError {
  static override readonly code = 'SERVICE_UNAVAILABLE';
  static override readonly kind = 'unavailable';
  static override readonly title = 'The service cannot answer at the moment';
}

export class UpstreamTimeout extends PlatformError {
  static override readonly code = 'UPSTREAM_TIMEOUT';
  static override readonly kind = 'deadline-exceeded';
  static override readonly title = 'The service behind this route took too long';
}

export class DeadlineExceeded extends PlatformError {
  static override readonly code = 'DEADLINE_EXCEEDED';
  static override readonly kind = 'deadline-exceeded';
  static override readonly title = 'The call took longer than its deadline';
}

/** What any process may raise; every service's registry extends this one. */
export const commonErrors = new ErrorRegistry([
  ValidationFailed,
  MalformedJson,
  NotCanonicalPath,
  InvalidPageToken,
  NotAuthenticated,
  TokenExpired,
  PermissionDenied,
  CallerNotAllowed,
  RouteNotFound,
  DeadLetterNotFound,
  MethodNotAllowed,
  NotAcceptable,
  IdempotencyConflict,
  PreconditionFailed,
  PayloadTooLarge,
  UnsupportedMediaType,
  IdempotencyMismatch,
  PreconditionRequired,
  RateLimited,
  InternalError,
  UpstreamUnavailable,
  ServiceUnavailable,
  UpstreamTimeout,
  DeadlineExceeded,
]);
