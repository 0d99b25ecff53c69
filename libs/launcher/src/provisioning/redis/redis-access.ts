import { createHash } from 'node:crypto';

/** What the libraries ask of Redis; see docker/engines/redis. */
export const REDIS_COMMANDS = [
  ...['ping', 'info', 'get', 'mget', 'set', 'del', 'pttl', 'pexpire', 'eval', 'evalsha'],
  ...['time', 'select'],
] as const;

/** The keys of a service, and what tells a user that a provisioner made from others. */
export function keysOf(service: string): string {
  return `gatehouse:${service}:*`;
}

/**
 * The rules of `ACL SETUSER`: the service's own keys and channels, and the commands above, by this password alone. The
 * password goes over the wire as its hash.
 */
export function redisRulesOf(service: string, password: string): string[] {
  const hash = createHash('sha256').update(password).digest('hex');
  const own = keysOf(service);
  return [
    ...['reset', 'on', `#${hash}`, `~${own}`, 'resetchannels', `&${own}`, '-@all'],
    ...REDIS_COMMANDS.map((command) => `+${command}`),
  ];
}
