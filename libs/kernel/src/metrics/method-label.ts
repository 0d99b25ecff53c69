const METHODS = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'QUERY',
]);

/** `http.request.method` of OpenTelemetry: a known method, else `_OTHER`, so that callers make no labels up. */
export function methodLabel(method: string): string {
  return METHODS.has(method) ? method : '_OTHER';
}
