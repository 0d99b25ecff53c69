import { configOf } from '@gatehouse/kernel';
import { z } from 'zod';

const pem = (what: string) =>
  z
    .string()
    .refine((text) => text.includes(`-----BEGIN `), `must be PEM text: ${what}`)
    .optional();

/** Where Redis is and who this process is to it. Without REDIS_URL memory serves. */
export class RedisConfig extends configOf({
  /** `redis://host:port/database`, or `rediss://` with TLS. A Redis that is lost later stops nothing. */
  REDIS_URL: z
    .string()
    .refine(isRedisUrl, 'must be redis://host:port or rediss://host:port, with TLS')
    .meta({ example: 'rediss://redis.example:6379' })
    .optional(),
  /** Instead of those in REDIS_URL. */
  REDIS_USERNAME: z.string().min(1).optional(),
  /** Instead of the one in REDIS_URL. */
  REDIS_PASSWORD: z.string().min(1).optional(),
  /** Who is trusted to vouch for Redis; without it, whom Node trusts. */
  REDIS_TLS_CA: pem('certificates of authorities'),
  /** What this process shows where Redis asks for a certificate. */
  REDIS_TLS_CERT: pem('a certificate'),
  /** The key of that certificate. */
  REDIS_TLS_KEY: pem('a private key'),
}) {}

function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname } = new URL(text);
  return /^rediss?:$/.test(protocol) && hostname !== '' && /^(\/\d*)?$/.test(pathname);
}
