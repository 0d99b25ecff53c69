import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** Cost of an argon2id hash (RFC 9106): memory in KiB, passes, lanes. */
export interface Argon2Cost {
  memory: number;
  passes: number;
  parallelism: number;
}

interface ParsedHash extends Argon2Cost {
  salt: Buffer;
  tag: Buffer;
}

const SALT_BYTES = 16;
const TAG_BYTES = 32;
const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const derive = promisify(argon2);

/** Hashes a password into a PHC string, `$argon2id$v=19$m=..,t=..,p=..$salt$tag`. */
export async function hashPassword(password: string, cost: Argon2Cost): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  return format({ ...cost, salt, tag: await compute(password, { ...cost, salt }, TAG_BYTES) });
}

/** Whether the password is the hash's, compared in constant time. @throws Error for what is no argon2id PHC string */
export async function verifyPassword(password: string, phc: string): Promise<boolean> {
  const hash = parse(phc);
  return timingSafeEqual(await compute(password, hash, hash.tag.length), hash.tag);
}

/** Whether a hash was made with less of anything than is asked for now. */
export function isWeaker(phc: string, cost: Argon2Cost): boolean {
  const hash = parse(phc);
  return (
    hash.memory < cost.memory || hash.passes < cost.passes || hash.parallelism < cost.parallelism
  );
}

function compute(
  password: string,
  { memory, passes, parallelism, salt }: Omit<ParsedHash, 'tag'>,
  tagLength: number,
): Promise<Buffer> {
  return derive('argon2id', {
    message: Buffer.from(password, 'utf8'),
    nonce: salt,
    parallelism,
    tagLength,
    memory,
    passes,
  });
}

function format({ memory, passes, parallelism, salt, tag }: ParsedHash): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${b64(salt)}$${b64(tag)}`;
}

function parse(phc: string): ParsedHash {
  const [, memory, passes, parallelism, salt, tag] = PHC.exec(phc) ?? [];
  if (salt === undefined || tag === undefined) throw new Error('not an argon2id PHC string');
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

/** The PHC string format's base64: standard alphabet, no padding. */
function b64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
