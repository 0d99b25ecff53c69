import { describe, expect, it } from '@jest/globals';

import { secondsOf } from './duration.ts';
import { rateLimitHeaders } from './rate-limit-fields.ts';

describe('the RateLimit fields', () => {
  const policies = [
    { name: 'burst', limit: 10, window_seconds: 1, by: 'ip' as const },
    { name: 'daily', limit: 1000, window_seconds: 86_400, by: 'principal' as const },
  ];

  it('report every policy, in order', () => {
    const results = [
      { allowed: true, remaining: 9, resetSeconds: 1, retryAfterSeconds: 0 },
      { allowed: true, remaining: 42, resetSeconds: 80_000, retryAfterSeconds: 0 },
    ];
    expect(rateLimitHeaders(policies, results)).toEqual({
      'RateLimit-Policy': '"burst";q=10;w=1, "daily";q=1000;w=86400',
      RateLimit: '"burst";r=9;t=1, "daily";r=42;t=80000',
    });
  });

  it('say Retry-After for the longest wait where a policy refuses', () => {
    const results = [
      { allowed: false, remaining: 0, resetSeconds: 1, retryAfterSeconds: 1 },
      { allowed: false, remaining: 0, resetSeconds: 80_000, retryAfterSeconds: 87 },
    ];
    expect(rateLimitHeaders(policies, results)['Retry-After']).toBe('87');
  });

  it('are absent where nothing was counted', () => {
    expect(rateLimitHeaders([], [])).toEqual({});
  });
});

describe('a duration', () => {
  it.each([
    ['10s', 10],
    ['1m', 60],
    ['2h', 7200],
    ['1d', 86_400],
  ])('%s is %i seconds', (duration, seconds) => {
    expect(secondsOf(duration)).toBe(seconds);
  });

  it.each(['', '1', 'm', '0s', '1.5m', '-1m', '1 m', '1w', '9999999s'])(
    '"%s" is none',
    (duration) => {
      expect(() => secondsOf(duration)).toThrow('is not a duration');
    },
  );
});
