import { Module } from '@nestjs/common';

import { AuthConfig } from '../auth.config.ts';
import { LocalKeySetSource } from './local-key-set.source.ts';
import { SigningKeyStore } from './signing-key.store.ts';

/** What the guards need to read Auth's own keys; the rest of Auth shares it. */
@Module({
  providers: [AuthConfig, SigningKeyStore, LocalKeySetSource],
  exports: [AuthConfig, SigningKeyStore, LocalKeySetSource],
})
export class KeysModule {}
