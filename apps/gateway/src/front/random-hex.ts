import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;
const bytes = Buffer.alloc(POOL_BYTES);
let hex = '';
let used = 0;

/** Hex digits from the system's random source, drawn in bulk: one call a request would cost more than all else here. */
export function randomHex(digits: number): string {
  if (used + digits > hex.length) {
    hex = randomFillSync(bytes).toString('hex');
    used = 0;
  }
  return hex.slice(used, (used += digits));
}
