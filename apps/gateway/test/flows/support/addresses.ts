import { randomInt } from 'node:crypto';

/** One that no limit has counted yet; the gateway believes it from a proxy that it trusts. */
export function randomAddress(): string {
  return `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;
}
