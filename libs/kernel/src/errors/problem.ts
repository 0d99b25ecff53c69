import type { ErrorKind, PlatformError } from '@gatehouse/contracts-platform';

import { asPlatformError } from './as-platform-error.ts';

/** RFC 9457, with the members contracts.md adds. */
export interface ProblemDetails {
  /** `/problems/<kebab-code>`, a page that exists. */
  type: string;
  title: string;
  status: number;
  detail?: string;
  /** The path of the request, without its query. */
  instance?: string;
  code: string;
  request_id?: string;
  /** What is wrong with the request, each with a JSON pointer. */
  errors?: { pointer: string; message: string }[];
}

/** What is known of the request that failed. */
export interface ProblemContext {
  requestId?: string | undefined;
  /** Its path, without its query. */
  instance?: string | undefined;
  /** Whether it had an `Authorization` field. */
  credentialSent?: boolean;
}

export interface Problem {
  status: number;
  headers: Record<string, string>;
  body: ProblemDetails;
}

const STATUS: Record<ErrorKind, number> = {
  'invalid-argument': 400,
  unauthenticated: 401,
  'permission-denied': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'not-acceptable': 406,
  conflict: 409,
  'already-exists': 409,
  'failed-precondition': 409,
  'precondition-failed': 412,
  'payload-too-large': 413,
  'unsupported-media-type': 415,
  unprocessable: 422,
  'precondition-required': 428,
  'resource-exhausted': 429,
  internal: 500,
  'bad-gateway': 502,
  unavailable: 503,
  'deadline-exceeded': 504,
};

/** The HTTP status of a kind of error. */
export function statusOf(kind: ErrorKind): number {
  return STATUS[kind];
}

/**
 * The HTTP answer to an error. Says nothing of one that is not ours: `INTERNAL_ERROR`, no detail.
 * Headers: `Content-Type`, and where they apply `Retry-After` (seconds), `WWW-Authenticate` (RFC 6750), `Allow`.
 */
export function toProblem(thrown: unknown, about: ProblemContext = {}): Problem {
  const error = asPlatformError(thrown);
  const status = statusOf(error.kind);
  return {
    status,
    headers: headersOf(error, about.credentialSent === true),
    body: {
      type: `/problems/${error.code.toLowerCase().replaceAll('_', '-')}`,
      title: error.title,
      status,
      ...(error.detail !== undefined && error.kind !== 'internal' && { detail: error.detail }),
      ...(about.instance !== undefined && { instance: about.instance }),
      code: error.code,
      ...(about.requestId !== undefined && { request_id: about.requestId }),
      ...(error.violations.length > 0 && {
        errors: error.violations.map(({ pointer, message }) => ({ pointer, message })),
      }),
    },
  };
}

function headersOf(error: PlatformError, credentialSent: boolean): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  if (error.retryAfterSeconds !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterSeconds)));
  }
  if (error.kind === 'unauthenticated') {
    // RFC 6750 section 3.1: no error code where no credential was sent, which only UNAUTHENTICATED leaves open.
    headers['www-authenticate'] =
      error.code === 'UNAUTHENTICATED' && !credentialSent
        ? 'Bearer realm="gatehouse"'
        : 'Bearer realm="gatehouse", error="invalid_token"';
  }
  const allow = error.metadata.allow;
  if (error.kind === 'method-not-allowed' && allow !== undefined) headers.allow = allow;
  return headers;
}
