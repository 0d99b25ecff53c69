import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { ServerSecrets } from '../server-secrets.ts';

/** A refresh token of ours, read. */
export interface RefreshToken {
  text: string;
  sessionId: string;
  /** 1 for the token a session begins with, one more at each rotation. */
  generation: number;
  secret: Buffer;
}

const PREFIX = 'gtr_';
const SESSION_BYTES = 16;
const GENERATION_BYTES = 4;
const SECRET_BYTES = 32;
const TAG_BYTES = 16;
const BODY_BYTES = SESSION_BYTES + GENERATION_BYTES + SECRET_BYTES;

/**
 * Makes and reads refresh tokens: `session | generation | 256 secret bits | tag`, in base64url. To clients they are
 * opaque.
 *
 * The secret of a successor is an HMAC of the token presented under a server key, so that a repeat of the same refresh
 * finds the same successor though only a hash is stored. The tag proves that we made a token, however old: a session id,
 * which is no secret, is not enough to end somebody's session by a made-up "reused" token.
 */
@Injectable()
export class RefreshTokens {
  constructor(private readonly secrets: ServerSecrets) {}

  first(sessionId: string): RefreshToken {
    return this.make(sessionId, 1, randomBytes(SECRET_BYTES));
  }

  successor(token: RefreshToken): RefreshToken {
    const { sessionId, generation, secret } = token;
    const next = this.secrets.hmac('refresh successor', body(token), secret);
    return this.make(sessionId, generation + 1, next);
  }

  /** Undefined for what we did not make. */
  read(text: string): RefreshToken | undefined {
    if (!text.startsWith(PREFIX)) return undefined;
    const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url');
    if (bytes.length !== BODY_BYTES + TAG_BYTES) return undefined;
    const token = this.make(
      uuidOf(bytes.subarray(0, SESSION_BYTES)),
      bytes.readUInt32BE(SESSION_BYTES),
      bytes.subarray(SESSION_BYTES + GENERATION_BYTES, BODY_BYTES),
    );
    // The text as a whole: base64url has more than one form of the same bytes.
    const [presented, made] = [text, token.text].map((each) => hashOf(each)) as [Buffer, Buffer];
    return timingSafeEqual(presented, made) ? token : undefined;
  }

  private make(sessionId: string, generation: number, secret: Buffer): RefreshToken {
    const bytes = body({ sessionId, generation, secret });
    const tag = this.secrets.hmac('refresh tag', bytes).subarray(0, TAG_BYTES);
    const text = PREFIX + Buffer.concat([bytes, tag]).toString('base64url');
    return { text, sessionId, generation, secret };
  }
}

/** What is stored of a token. */
export function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function body({ sessionId, generation, secret }: Omit<RefreshToken, 'text'>): Buffer {
  const number = Buffer.alloc(GENERATION_BYTES);
  number.writeUInt32BE(generation);
  return Buffer.concat([Buffer.from(sessionId.replaceAll('-', ''), 'hex'), number, secret]);
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
