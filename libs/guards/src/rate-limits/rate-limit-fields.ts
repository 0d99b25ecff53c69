import type { Consumed, RateLimitPolicy } from './rate-limit-store.ts';

/**
 * The response fields of draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy` says each policy's quota `q` and
 * window `w` in seconds, `RateLimit` what remains (`r`) and in how many seconds it is whole again (`t`). `Retry-After`
 * is there where a policy refused, for the longest wait; it wins (RFC 9110 10.2.3).
 * @param policies and @param results stand in the same order
 */
export function rateLimitHeaders(
  policies: readonly RateLimitPolicy[],
  results: readonly Consumed[],
): Record<string, string> {
  if (results.length === 0) return {};
  const reported = results.map((result, index) => ({
    result,
    policy: policies[index] as RateLimitPolicy,
  }));
  const retryAfter = Math.max(
    ...results.map((result) => (result.allowed ? 0 : result.retryAfterSeconds)),
  );
  return {
    'RateLimit-Policy': reported
      .map(({ policy }) => `"${policy.name}";q=${policy.limit};w=${policy.window_seconds}`)
      .join(', '),
    RateLimit: reported
      .map(
        ({ policy, result }) => `"${policy.name}";r=${result.remaining};t=${result.resetSeconds}`,
      )
      .join(', '),
    ...(retryAfter > 0 ? { 'Retry-After': String(retryAfter) } : {}),
  };
}

/**
 * The counter's key. Its parts cannot contain `|`: operations and policy names are checked at start, and the subject
 * is a principal's id or the answer of `addressKey`.
 */
export function rateLimitKey(
  service: string,
  operation: string,
  policy: RateLimitPolicy,
  subject: string,
): string {
  return `${service}|${operation}|${policy.name}|${subject}`;
}
