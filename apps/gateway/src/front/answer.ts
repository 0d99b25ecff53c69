import { PlatformError } from '@gatehouse/contracts-platform';
import { toProblem } from '@gatehouse/kernel';
import type { Exchange } from './exchange.ts';

/** How long a client may go on sending a body that nobody reads any more. */
const LINGER_MS = 2_000;

/** The headers that every answer of the gateway has, its own and a service's: name, value, name, value. */
export function edgeHeaders(exchange: Exchange, headers: string[] = []): string[] {
  headers.push('x-request-id', exchange.requestId, 'traceparent', exchange.trace.traceparent);
  if (exchange.limitReport !== '') {
    headers.push('ratelimit', exchange.limitReport);
    const policies = exchange.route?.limitPolicies;
    if (policies !== undefined) headers.push('ratelimit-policy', policies);
  }
  const fixed = exchange.route?.answerHeaders;
  if (fixed !== undefined && fixed.length > 0) headers.push(...fixed);
  if (exchange.corsHeaders.length > 0) headers.push(...exchange.corsHeaders);
  return headers;
}

/** Answers with what is complete already. */
export function answer(exchange: Exchange, status: number, headers: string[], body?: string): void {
  const { request, response } = exchange;
  exchange.isSettled = true;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  edgeHeaders(exchange, headers);
  // A 204 has no body, and no length (RFC 9110 section 8.6).
  if (status !== 204) headers.push('content-length', String(Buffer.byteLength(body ?? '')));
  response.writeHead(status, headers);
  response.end(request.method === 'HEAD' ? undefined : body);
  discardBody(exchange);
}

/**
 * Refuses with `application/problem+json` (RFC 9457). What is no PlatformError is an error of ours: its text stays
 * inside. Where the answer has begun it can only be broken off.
 */
export function refuse(exchange: Exchange, error: unknown): void {
  const problem = toProblem(error);
  exchange.refusedWith = problem.body.code;
  const headers = ['content-type', 'application/problem+json', 'cache-control', 'no-store'];
  for (const [name, value] of Object.entries(problem.headers)) {
    if (!OWN.has(name.toLowerCase())) headers.push(name, value);
  }
  if (problem.status === 401)
    headers.push('www-authenticate', challenge(exchange, problem.body.code));
  const allow = error instanceof PlatformError ? error.metadata.allow : undefined;
  if (problem.status === 405 && allow !== undefined) headers.push('allow', allow);
  const body = { ...problem.body, request_id: exchange.requestId, instance: instanceOf(exchange) };
  answer(exchange, problem.status, headers, JSON.stringify(body));
}
const OWN = new Set(['content-type', 'allow', 'www-authenticate', 'x-request-id', 'traceparent']);

/** RFC 6750 section 3: no error code where no credential was sent. */
function challenge(exchange: Exchange, code: string): string {
  if (exchange.head.authorization === undefined) return 'Bearer realm="gatehouse"';
  const why = code === 'TOKEN_EXPIRED' ? 'the token has expired' : 'the token is not valid';
  return `Bearer realm="gatehouse", error="invalid_token", error_description="${why}"`;
}

/** The path without its query, which may hold what does not belong in an answer. */
function instanceOf(exchange: Exchange): string | undefined {
  return exchange.pathEnd < 0 ? undefined : exchange.target.slice(0, exchange.pathEnd);
}

/** Reads on for a while, so that the client gets to read the answer instead of a reset. */
export function discardBody({ request }: Exchange): void {
  if (request.complete || request.destroyed) return;
  request.resume();
  const late = setTimeout(() => {
    if (!request.complete) request.socket.destroy();
  }, LINGER_MS).unref();
  // Else a request that is refused as soon as its head is read would be held for all that time.
  request.once('close', () => clearTimeout(late));
}
