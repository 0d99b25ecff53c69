import {
  commonErrors,
  ERROR_KINDS,
  type ErrorKind,
  MethodNotAllowed,
  NotAuthenticated,
  PlatformError,
  RateLimited,
  TokenExpired,
  ValidationFailed,
} from '@gatehouse/contracts-platform';
import { ForbiddenException, HttpException, NotFoundException } from '@nestjs/common';

import { statusOf, toProblem } from './problem.ts';

const STATUSES: Record<ErrorKind, number> = {
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

describe('toProblem', () => {
  it.each(ERROR_KINDS)('gives %s its status', (kind) => {
    expect(statusOf(kind)).toBe(STATUSES[kind]);
  });

  it.each(commonErrors.classes().map((each) => [each.code, each] as const))(
    'describes %s with its code, title and status',
    (code, ErrorClass) => {
      const problem = toProblem(new ErrorClass());
      expect(problem.status).toBe(STATUSES[ErrorClass.kind]);
      expect(problem.headers['content-type']).toBe('application/problem+json');
      expect(problem.body).toMatchObject({
        code,
        title: ErrorClass.title,
        status: problem.status,
        type: `/problems/${code.toLowerCase().replaceAll('_', '-')}`,
      });
    },
  );

  it('carries detail, request id, path and violations', () => {
    const error = new ValidationFailed('Two things are wrong.', {
      violations: [{ pointer: '/items/0', message: 'is missing' }],
    });
    expect(toProblem(error, { requestId: 'r-1', instance: '/v1/orders' }).body).toEqual({
      type: '/problems/validation-failed',
      title: 'The request is not valid',
      status: 400,
      detail: 'Two things are wrong.',
      instance: '/v1/orders',
      code: 'VALIDATION_FAILED',
      request_id: 'r-1',
      errors: [{ pointer: '/items/0', message: 'is missing' }],
    });
  });

  it('says when to come back, in whole seconds and never zero', () => {
    expect(toProblem(new RateLimited('', { retryAfterSeconds: 2.1 })).headers['retry-after']).toBe(
      '3',
    );
    expect(toProblem(new RateLimited('', { retryAfterSeconds: 0 })).headers['retry-after']).toBe(
      '1',
    );
  });

  it('challenges with an error only where a token was presented (RFC 6750)', () => {
    expect(toProblem(new NotAuthenticated()).headers['www-authenticate']).toBe(
      'Bearer realm="gatehouse"',
    );
    const { headers } = toProblem(new NotAuthenticated(), { credentialSent: true });
    expect(headers['www-authenticate']).toContain('error="invalid_token"');
    expect(toProblem(new TokenExpired()).headers['www-authenticate']).toContain('invalid_token');
  });

  it('lists the methods that a route takes', () => {
    const error = new MethodNotAllowed(undefined, { metadata: { allow: 'GET, POST' } });
    expect(toProblem(error).headers.allow).toBe('GET, POST');
  });

  it.each([
    ['an error of ours nobody declared', new Error('SELECT * FROM secrets')],
    ['a TypeError', new TypeError('x is not a function')],
    ['a string', 'boom'],
    ['nothing', undefined],
    [
      'an error that claims a status',
      Object.assign(new Error('sneaky'), { status: 404, statusCode: 404 }),
    ],
  ])('says nothing of %s', (_name, thrown) => {
    expect(toProblem(thrown).body).toEqual({
      type: '/problems/internal-error',
      title: 'Something went wrong on our side',
      status: 500,
      code: 'INTERNAL_ERROR',
    });
  });

  it('keeps the detail of an internal error inside', () => {
    class Broken extends PlatformError {
      static override readonly code = 'BROKEN';
    }
    expect(toProblem(new Broken('the key is 42')).body.detail).toBeUndefined();
  });

  it.each([
    [new NotFoundException('Cannot GET /x'), 404, 'ROUTE_NOT_FOUND'],
    [new ForbiddenException(), 403, 'PERMISSION_DENIED'],
    [new HttpException('no', 418), 400, 'VALIDATION_FAILED'],
    [new HttpException('down', 503), 503, 'SERVICE_UNAVAILABLE'],
    [new HttpException('bad', 500), 500, 'INTERNAL_ERROR'],
    [fastifyError('FST_ERR_CTP_BODY_TOO_LARGE', 413), 413, 'PAYLOAD_TOO_LARGE'],
    [fastifyError('FST_ERR_CTP_INVALID_MEDIA_TYPE', 415), 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [fastifyError('FST_ERR_CTP_INVALID_CONTENT_LENGTH', 400), 400, 'MALFORMED_JSON'],
    [fastifyError('FST_ERR_BAD_URL', 400), 400, 'VALIDATION_FAILED'],
  ])('knows what the framework means by %s', (thrown, status, code) => {
    expect(toProblem(thrown)).toMatchObject({ status, body: { code } });
  });
});

function fastifyError(code: string, statusCode: number): Error {
  return Object.assign(new Error(code), { code, statusCode });
}
