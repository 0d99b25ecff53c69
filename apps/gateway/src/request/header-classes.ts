/** What the gateway does with a request header that comes from outside. */
export const HeaderClass = {
  /** Passed on as it is. */
  end_to_end: 0,
  /** Belongs to this connection (RFC 9110 section 7.6.1), or could be mistaken for what only the gateway says. */
  dropped: 1,
  connection: 2,
  host: 3,
  authorization: 4,
  contentLength: 5,
  transferEncoding: 6,
  contentType: 7,
  forwardedFor: 8,
  forwardedProto: 9,
  traceparent: 10,
  tracestate: 11,
  requestId: 12,
  origin: 13,
  preflightMethod: 14,
  cookie: 15,
} as const;
export type HeaderClass = (typeof HeaderClass)[keyof typeof HeaderClass];

const NAMED: Readonly<Record<string, HeaderClass>> = {
  connection: HeaderClass.connection,
  host: HeaderClass.host,
  authorization: HeaderClass.authorization,
  'content-length': HeaderClass.contentLength,
  'transfer-encoding': HeaderClass.transferEncoding,
  'content-type': HeaderClass.contentType,
  'x-forwarded-for': HeaderClass.forwardedFor,
  'x-forwarded-proto': HeaderClass.forwardedProto,
  traceparent: HeaderClass.traceparent,
  tracestate: HeaderClass.tracestate,
  'x-request-id': HeaderClass.requestId,
  origin: HeaderClass.origin,
  'access-control-request-method': HeaderClass.preflightMethod,
  cookie: HeaderClass.cookie,
};

const HOP_BY_HOP = new Set([
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]);

/** Headers by which other stacks carry an identity, an address, another path or another method. */
const SPOOFABLE = new Set([
  'client-ip',
  'forwarded',
  'remote-user',
  'true-client-ip',
  'cf-connecting-ip',
  'fastly-client-ip',
  'via',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-host',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-real-ip',
  'x-remote-user',
  'x-rewrite-url',
  'x-email',
  'x-groups',
  'x-org',
  'x-permissions',
  'x-roles',
  'x-scopes',
  'x-subject',
  'x-tenant',
]);
const SPOOFABLE_PREFIXES = [
  'gatehouse-',
  'x-gatehouse-',
  'x-auth-',
  'x-authenticated-',
  'x-envoy-',
  'x-forwarded-',
  'x-organization-',
  'x-original-',
  'x-principal-',
  'x-user-',
];

/** A header name, read once for all requests that have it. */
export interface KnownHeader {
  readonly kind: HeaderClass;
  /** In lower case; the one string for all requests, since undici looks each name up. */
  readonly name: string;
}

/**
 * What a header name as a client wrote it means.
 *
 * A name with `_` or `.` is always dropped: many frameworks read `X_User_Id` and `X.User.Id` as `X-User-Id`, so such
 * a name could pass a filter and still arrive as an identity.
 */
export function knownHeader(written: string): KnownHeader {
  const known = cache.get(written);
  if (known !== undefined) return known;
  const name = written.toLowerCase();
  const named = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
  const kind = named ?? (isNeverForwarded(name) ? HeaderClass.dropped : HeaderClass.end_to_end);
  const result = { kind, name };
  // Bounded: names come from outside.
  if (cache.size < 2048) cache.set(written, result);
  return result;
}
const cache = new Map<string, KnownHeader>();

function isNeverForwarded(lower: string): boolean {
  return (
    lower.includes('_') ||
    lower.includes('.') ||
    HOP_BY_HOP.has(lower) ||
    SPOOFABLE.has(lower) ||
    lower === 'x-user' ||
    SPOOFABLE_PREFIXES.some((prefix) => lower.startsWith(prefix))
  );
}

/** Whether a header of a service's answer stays inside: hop-by-hop, or said by the gateway alone. Names in lower case. */
export function isDroppedFromAnswer(lower: string): boolean {
  const known = answerCache.get(lower);
  if (known !== undefined) return known;
  const result =
    HOP_BY_HOP.has(lower) ||
    ANSWERED_BY_GATEWAY.has(lower) ||
    lower.startsWith('gatehouse-') ||
    lower.startsWith('access-control-');
  if (answerCache.size < 2048) answerCache.set(lower, result);
  return result;
}
const ANSWERED_BY_GATEWAY = new Set([
  'connection',
  'server',
  'traceparent',
  'tracestate',
  'transfer-encoding',
  'via',
  'x-powered-by',
  'x-request-id',
]);
const answerCache = new Map<string, boolean>();
