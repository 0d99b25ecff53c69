import { createHmac } from 'node:crypto';

import { Sealer } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

/** Keys of the server for keyed hashes, each for one purpose; they follow from DATA_ENCRYPTION_KEY and are the same in every instance. */
@Injectable()
export class ServerSecrets {
  private readonly keys = new Map<string, Buffer>();

  constructor(private readonly sealer: Sealer) {}

  /** HMAC-SHA-256 over parts; no two lists of parts give the same input. */
  hmac(purpose: string, ...parts: readonly (string | Uint8Array)[]): Buffer {
    let key = this.keys.get(purpose);
    if (key === undefined) this.keys.set(purpose, (key = this.sealer.derive(`auth ${purpose}`)));
    const mac = createHmac('sha256', key);
    for (const part of parts) {
      const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      mac.update(length).update(bytes);
    }
    return mac.digest();
  }
}
