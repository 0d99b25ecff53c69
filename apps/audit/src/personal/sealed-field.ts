import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A value about a person as it stands in a leaf. */
export interface SealedField {
  subject_id: string;
  /** base64url of `nonce (12) | tag (16) | ciphertext` under AES-256-GCM; null where the subject was erased before. */
  sealed: string | null;
}

/** @param place what the value is and of which entry: it opens nowhere else */
export function sealField(key: Buffer, value: string, place: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(place));
  const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** @returns undefined where the key, the place or the value is another one than when it was sealed */
export function openField(key: Buffer, sealed: string, place: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const value = [decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()];
    return Buffer.concat(value).toString('utf8');
  } catch {
    return undefined;
  }
}

export const placeOf = (entryId: string, name: string): string => `${entryId}/${name}`;
