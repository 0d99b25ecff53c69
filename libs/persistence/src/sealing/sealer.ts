import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

const VERSION = 1;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

/** What was sealed under another key, for another purpose, or altered since. */
export class SealBroken extends Error {
  constructor(cause?: unknown) {
    super('the sealed value cannot be opened: wrong key, wrong context, or altered', { cause });
  }
}

/**
 * Seals small values with AES-256-GCM under DATA_ENCRYPTION_KEY.
 *
 * A sealed value is `version (1) | key id (4) | nonce (12) | tag (16) | ciphertext`; version and key id are
 * authenticated too. The context (AAD) is not stored: who opens must name the same, so that a value copied into
 * another row or column does not open there. Nonces are random: seal fewer than 2^32 values under one key
 * (NIST SP 800-38D, 8.3).
 */
export class Sealer {
  private readonly keys = new Map<string, Buffer>();
  private readonly keyId: Buffer;

  /** @param keys 32 bytes each, in base64: the first seals, the others only open (after a change of key) */
  constructor(...keys: [current: string, ...older: string[]]) {
    const ids = keys.map((text) => {
      const key = Buffer.from(text, 'base64');
      if (key.length !== 32) throw new Error('a data encryption key is 32 bytes in base64');
      const id = createHash('sha256').update('gatehouse key id').update(key).digest();
      const short = id.subarray(0, KEY_ID_BYTES);
      this.keys.set(short.toString('hex'), key);
      return short;
    });
    this.keyId = ids[0] as Buffer;
  }

  /** @param context what the value is and whose, e.g. `auth.signing-key:<kid>` */
  seal(value: Uint8Array | string, context: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const header = Buffer.concat([Buffer.of(VERSION), this.keyId, nonce]);
    const cipher = createCipheriv('aes-256-gcm', this.keyOf(this.keyId), nonce);
    cipher.setAAD(aad(header, context));
    const sealed = Buffer.concat([cipher.update(value), cipher.final()]);
    return Buffer.concat([header, cipher.getAuthTag(), sealed]);
  }

  /** @throws SealBroken */
  open(sealed: Uint8Array, context: string): Buffer {
    const bytes = Buffer.from(sealed);
    if (bytes.length < HEADER_BYTES + TAG_BYTES || bytes[0] !== VERSION) throw new SealBroken();
    const header = bytes.subarray(0, HEADER_BYTES);
    const nonce = header.subarray(1 + KEY_ID_BYTES);
    try {
      const key = this.keyOf(header.subarray(1, 1 + KEY_ID_BYTES));
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(aad(header, context));
      decipher.setAuthTag(bytes.subarray(HEADER_BYTES, HEADER_BYTES + TAG_BYTES));
      return Buffer.concat([
        decipher.update(bytes.subarray(HEADER_BYTES + TAG_BYTES)),
        decipher.final(),
      ]);
    } catch (cause) {
      throw new SealBroken(cause);
    }
  }

  /** 32 bytes for another use, from the current key (HKDF, RFC 5869); knowing them does not give the key away. */
  derive(purpose: string): Buffer {
    return Buffer.from(
      hkdfSync('sha256', this.keyOf(this.keyId), Buffer.alloc(0), `gatehouse ${purpose}`, 32),
    );
  }

  private keyOf(id: Uint8Array): Buffer {
    const key = this.keys.get(Buffer.from(id).toString('hex'));
    if (!key) throw new SealBroken();
    return key;
  }
}

function aad(header: Buffer, context: string): Buffer {
  return Buffer.concat([header, Buffer.from(context, 'utf8')]);
}
