/** Its own API: the log level of gateways. */
const OWN_API = '/v1/gateway/';
/** What the gateway serves itself, through Nest. A service can never take these paths. */
const EXACT = new Set([
  '/openapi.json',
  '/docs',
  '/docs/',
  '/health/live',
  '/health/ready',
  '/problems',
]);
const BELOW = ['/docs/', '/problems/', OWN_API];

export function isOwnPath(target: string, end: number): boolean {
  const path = target.slice(0, end);
  return EXACT.has(path) || BELOW.some((prefix) => path.startsWith(prefix));
}

/** Whether a path is of the gateway's own API, and so in the merged document. */
export function isOwnApi(path: string): boolean {
  return path.startsWith(OWN_API);
}

/** Whether it is worth asking `isOwnPath`: a letter says so, at no cost for a service's request. */
export function mayBeOwnPath(target: string): boolean {
  const first = target.charAt(1);
  return first === 'v' ? target.startsWith(OWN_API) : FIRST_LETTERS.includes(first);
}
const FIRST_LETTERS = 'dhop';

/** Asked by whatever watches over the gateway; answered whatever the load. */
export function isHealthPath(target: string): boolean {
  return target === '/health/live' || target === '/health/ready';
}

/** Whether a service's route would hide a path of the gateway. */
export function hidesOwnPath(path: string): boolean {
  return isOwnPath(path, path.length) || path === '/health' || path.startsWith('/health/');
}
