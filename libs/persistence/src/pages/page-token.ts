import { createHmac, timingSafeEqual } from 'node:crypto';
import { InvalidPageToken } from '@gatehouse/contracts-platform';
import { canonicalJson } from '@gatehouse/kernel';

const MAC_BYTES = 32;

/**
 * A page token is `base64url(HMAC-SHA-256 | JSON)`: the place in the list, as the text of the order's columns.
 * The MAC covers the query too, so that a token works for the very query that gave it, and for no other.
 */
export class PageTokens {
  private readonly key: Buffer;

  /** @param key PAGE_TOKEN_KEY: 32 bytes in base64 */
  constructor(key: string) {
    this.key = Buffer.from(key, 'base64');
    if (this.key.length !== 32) throw new Error('PAGE_TOKEN_KEY is 32 bytes in base64');
  }

  issue(place: readonly string[], query: unknown): string {
    const json = Buffer.from(JSON.stringify(place));
    return Buffer.concat([this.mac(json, query), json]).toString('base64url');
  }

  /** @throws InvalidPageToken if it was altered or belongs to another query */
  read(token: string, query: unknown): string[] {
    const bytes = Buffer.from(token, 'base64url');
    const json = bytes.subarray(MAC_BYTES);
    const canonical = bytes.toString('base64url') === token;
    if (!canonical || bytes.length <= MAC_BYTES) throw new InvalidPageToken();
    if (!timingSafeEqual(bytes.subarray(0, MAC_BYTES), this.mac(json, query))) {
      throw new InvalidPageToken();
    }
    return JSON.parse(json.toString()) as string[];
  }

  private mac(json: Buffer, query: unknown): Buffer {
    const bound = Buffer.from(canonicalJson(query));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bound.length);
    return createHmac('sha256', this.key).update(length).update(bound).update(json).digest();
  }
}
