import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Secret scanners know a credential by its beginning. */
const PREFIX = 'gcs_';
const NONE = Buffer.alloc(32);

/** 256 random bits. Shown once; what is stored is its hash. */
export function newClientSecret(): { secret: string; hash: Buffer } {
  const secret = PREFIX + randomBytes(32).toString('base64url');
  return { secret, hash: hashOf(secret) };
}

/** In constant time, and of the same kind where there is no such client. */
export function isClientSecret(secret: string, hash: Buffer | undefined): boolean {
  return timingSafeEqual(hashOf(secret), hash ?? NONE) && hash !== undefined;
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
