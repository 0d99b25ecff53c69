import {
  InternalError,
  MalformedJson,
  MethodNotAllowed,
  NotAcceptable,
  NotAuthenticated,
  PayloadTooLarge,
  PermissionDenied,
  PlatformError,
  RateLimited,
  RouteNotFound,
  ServiceUnavailable,
  UnsupportedMediaType,
  ValidationFailed,
} from '@gatehouse/contracts-platform';
import { HttpException } from '@nestjs/common';

/**
 * Every thrown thing as a platform error: the one step before each transport's mapper. Ours stay as they are; what Nest and
 * Fastify throw by themselves becomes its counterpart; anything else is an `InternalError` whose cause is only logged.
 */
export function asPlatformError(error: unknown): PlatformError {
  if (error instanceof PlatformError) return error;
  const status = frameworkStatus(error);
  if (status === undefined || status >= 500) {
    return status === 503
      ? new ServiceUnavailable(undefined, { cause: error })
      : new InternalError(undefined, { cause: error });
  }
  const detail = (error as Error).message;
  const options = { cause: error };
  switch (status) {
    case 401:
      return new NotAuthenticated(undefined, options);
    case 403:
      return new PermissionDenied(undefined, options);
    case 404:
      return new RouteNotFound(undefined, options);
    case 405:
      return new MethodNotAllowed(undefined, options);
    case 406:
      return new NotAcceptable(undefined, options);
    case 413:
      return new PayloadTooLarge(undefined, options);
    case 415:
      return new UnsupportedMediaType(undefined, options);
    case 429:
      return new RateLimited(undefined, options);
    default:
      return isBodyError(error)
        ? new MalformedJson(detail, options)
        : new ValidationFailed(detail, options);
  }
}

/** The 4xx or 5xx that Nest (`HttpException`) or Fastify (`FST_ERR_*`) chose; nobody else's word counts. */
function frameworkStatus(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  if (!(error instanceof Error)) return undefined;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  return typeof code === 'string' && code.startsWith('FST_ERR_') && typeof statusCode === 'number'
    ? statusCode
    : undefined;
}

function isBodyError(error: unknown): boolean {
  return String((error as { code?: unknown }).code).startsWith('FST_ERR_CTP_');
}
