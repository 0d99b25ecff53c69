import { type KeySetDocument, KeySetSource } from '@gatehouse/guards';
import { Injectable } from '@nestjs/common';

import { AuthConfig } from '../auth.config.ts';
import { keptAfterMs } from './key-rotation.ts';
import { publishedAt } from './key-schedule.ts';
import { SigningKeyStore } from './signing-key.store.ts';

/** The public keys as verifiers get them, from Auth's own table: behind `GetKeySet`, and for Auth's own guards. */
@Injectable()
export class LocalKeySetSource extends KeySetSource {
  constructor(
    private readonly keys: SigningKeyStore,
    private readonly config: AuthConfig,
  ) {
    super();
  }

  override async load(): Promise<KeySetDocument> {
    const now = Date.now();
    const published = publishedAt(await this.keys.all(), now, keptAfterMs(this.config));
    return {
      keys: published.map(({ publicJwk }) => publicJwk),
      issuedAt: Math.floor(now / 1000),
      expiresAt: Math.floor(now / 1000) + this.config.AUTH_KEY_SET_SECONDS,
    };
  }
}
