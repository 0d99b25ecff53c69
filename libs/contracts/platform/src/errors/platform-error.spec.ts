import { describe, expect, it } from '@jest/globals';

import { commonErrors, RateLimited, RouteNotFound } from './common-errors.ts';
import { ERROR_KINDS, isErrorKind } from './error-kind.ts';
import { ErrorRegistry } from './error-registry.ts';
import { PlatformError } from './platform-error.ts';
import { RemoteError } from './remote-error.ts';

class UserNotFound extends PlatformError {
  static override readonly code = 'USER_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'There is no such user';
}

class UserMissing extends PlatformError {
  static override readonly code = 'USER_NOT_FOUND';
}

describe('a platform error', () => {
  it('carries the code, kind and title of its class', () => {
    const error = new UserNotFound();
    expect(error).toMatchObject({
      name: 'UserNotFound',
      code: 'USER_NOT_FOUND',
      kind: 'not-found',
      title: 'There is no such user',
      message: 'There is no such user',
      detail: undefined,
      violations: [],
      metadata: {},
    });
    expect(error).toBeInstanceOf(Error);
  });

  it('keeps what lies underneath as its cause', () => {
    const cause = new Error('socket closed');
    expect(new RouteNotFound('No route takes /x', { cause })).toMatchObject({
      message: 'No route takes /x',
      cause,
    });
  });
});

describe('an error registry', () => {
  const registry = commonErrors.extend([UserNotFound]);

  it('gives a caller back the class that was thrown', () => {
    const thrown = new RateLimited('Slow down', {
      retryAfterSeconds: 7,
      violations: [{ pointer: '/query/q', message: 'too often' }],
      metadata: { policy: 'default' },
    });
    const { code, kind, detail, retryAfterSeconds, violations, metadata } = thrown;
    const rebuilt = registry.rebuild({
      code,
      kind,
      detail,
      retryAfterSeconds,
      violations,
      metadata,
    });
    expect(rebuilt).toBeInstanceOf(RateLimited);
    expect(rebuilt).toMatchObject({ detail, retryAfterSeconds, violations, metadata });
  });

  it('makes a RemoteError of a code it does not know, with code and kind kept', () => {
    const rebuilt = registry.rebuild({
      code: 'ORDER_NOT_FOUND',
      kind: 'not-found',
      detail: 'No order 7',
    });
    expect(rebuilt).toBeInstanceOf(RemoteError);
    expect(rebuilt).toMatchObject({
      code: 'ORDER_NOT_FOUND',
      kind: 'not-found',
      detail: 'No order 7',
    });
  });

  it('refuses a code that two classes claim', () => {
    expect(() => registry.extend([UserMissing])).toThrow(/USER_NOT_FOUND is claimed by/);
  });

  it('takes the same class from several registries', () => {
    const merged = ErrorRegistry.merge(commonErrors, registry);
    expect(merged.find('USER_NOT_FOUND')).toBe(UserNotFound);
    expect(merged.classes()).toHaveLength(registry.classes().length);
  });
});

describe('an error kind', () => {
  it('is told from any other string', () => {
    expect(ERROR_KINDS.every(isErrorKind)).toBe(true);
    expect(isErrorKind('toString')).toBe(false);
  });
});
