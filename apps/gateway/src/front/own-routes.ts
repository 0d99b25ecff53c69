/** What the gateway serves itself, through Nest. A service can never take these paths. */
const EXACT = new Set([
  '/openapi.json',
  '/docs',
  '/docs/',
  '/health/live',
  '/health/ready',
  '/problems',
]);
const BELOW = ['/docs/', '/problems/'];

export function isOwnPath(target: string, end: number): boolean {
  const path = target.slice(0, end);
  return EXACT.has(path) || BELOW.some((prefix) => path.startsWith(prefix));
}

/** Asked by whatever watches over the gateway; answered whatever the load. */
export function isHealthPath(target: string): boolean {
  return target === '/health/live' || target === '/health/ready';
}

/** Whether a service's route would hide a path of the gateway. */
export function hidesOwnPath(path: string): boolean {
  return isOwnPath(path, path.length) || path === '/health' || path.startsWith('/health/');
}
