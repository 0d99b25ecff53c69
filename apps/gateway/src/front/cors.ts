const EXPOSED =
  'ETag, Location, Link, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, Deprecation, Sunset';
const ALLOWED_HEADERS =
  'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, traceparent, tracestate';

export interface CorsOptions {
  /** Exact origins, or `*` alone. */
  origins: readonly string[];
  maxAgeSeconds: number;
}

/**
 * Cross-origin answers (the Fetch standard), by configuration alone: what a service says about CORS never leaves.
 * Headers are name, value, name, value. A listed origin may send credentials; `*` may not.
 */
export class Cors {
  private readonly any: boolean;
  private readonly listed: ReadonlyMap<string, readonly string[]>;

  constructor(private readonly options: CorsOptions) {
    this.any = options.origins.includes('*');
    this.listed = new Map(options.origins.map((origin) => [origin, allowOne(origin)]));
  }

  /** For the answer to a request from `origin`; empty where it may not read it. */
  headersFor(origin: string): readonly string[] {
    if (this.any) return ANY;
    return this.listed.get(origin) ?? (this.listed.size > 0 ? VARY : NONE);
  }

  /** For the answer to a preflight that asks about a path which takes `methods`. */
  preflightHeaders(origin: string, methods: readonly string[]): string[] {
    const allowed = this.headersFor(origin);
    if (allowed === NONE || allowed === VARY) return [...allowed];
    return [
      ...allowed,
      'Access-Control-Allow-Methods',
      methods.join(', '),
      'Access-Control-Allow-Headers',
      ALLOWED_HEADERS,
      'Access-Control-Max-Age',
      String(this.options.maxAgeSeconds),
    ];
  }
}

const NONE: readonly string[] = [];
const VARY: readonly string[] = ['Vary', 'Origin'];
const ANY: readonly string[] = [
  'Access-Control-Allow-Origin',
  '*',
  'Access-Control-Expose-Headers',
  EXPOSED,
];

function allowOne(origin: string): readonly string[] {
  return [
    'Access-Control-Allow-Origin',
    origin,
    'Access-Control-Allow-Credentials',
    'true',
    'Access-Control-Expose-Headers',
    EXPOSED,
    ...VARY,
  ];
}
