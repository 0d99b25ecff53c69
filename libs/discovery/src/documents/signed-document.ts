import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify } from 'jose';

/** What a signature is for. It is part of what is signed, so that one kind never passes for another. */
export type DocumentType = 'gatehouse-directory+jws' | 'gatehouse-entry+jws';

const MAX_BYTES = 256 * 1024;

/** A compact JWS (RFC 7515) over the JSON of `payload`, EdDSA with Ed25519 (RFC 8037). */
export async function signDocument(
  type: DocumentType,
  payload: object,
  key: KeyObject,
): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'EdDSA', typ: type })
    .sign(key);
}

/**
 * The payload, once the signature holds under `key` and the type is the one expected.
 * @throws where it is not a JWS, is of another algorithm or type, or was altered.
 */
export async function verifyDocument(
  type: DocumentType,
  document: string,
  key: KeyObject,
): Promise<unknown> {
  if (document.length > MAX_BYTES) throw new Error('the document is too large');
  const { payload, protectedHeader } = await compactVerify(document, key, {
    algorithms: ['EdDSA'],
  });
  if (protectedHeader.typ !== type) throw new Error(`not a ${type}`);
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
}
