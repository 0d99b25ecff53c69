import { IntegrationEvents } from '@gatehouse/event-bus';
import { CommandRegistry } from '@gatehouse/kernel';
import { Sealer, Transactional } from '@gatehouse/persistence';
import { Injectable, Logger } from '@nestjs/common';

import { AuthConfig } from '../auth.config.ts';
import { publishedAt, signingAt } from './key-schedule.ts';
import { newSigningKey } from './signing-key.ts';
import { type SigningKeyRow, SigningKeyStore } from './signing-key.store.ts';

/** What a sealed private key is sealed for: it opens under this kid alone. */
export const sealContext = (kid: string): string => `auth.signing-key:${kid}`;
/** Clocks of instances and verifiers may differ by so much. */
const SKEW_MS = 120_000;

/** How long after its successor took over a key is still needed. */
export function keptAfterMs(config: AuthConfig): number {
  return config.AUTH_ACCESS_TOKEN_SECONDS * 1000 + SKEW_MS;
}

/**
 * Makes signing keys: the first one, and successors. Two instances that do so at once make one: the set is changed under
 * a lock, after another look at it.
 */
@Injectable()
export class KeyRotation {
  private readonly logger = new Logger(KeyRotation.name);

  constructor(
    private readonly keys: SigningKeyStore,
    private readonly sealer: Sealer,
    private readonly events: IntegrationEvents,
    private readonly config: AuthConfig,
    commands: CommandRegistry,
  ) {
    commands.add('rotate-keys', 'make a new signing key, published before it signs', async () => {
      const { kid, signsFrom, made } = await this.rotate();
      const what = made ? 'signs' : 'was made before and signs';
      process.stdout.write(`The key ${kid} ${what} from ${signsFrom.toISOString()} on.\n`);
    });
  }

  /** Before an instance serves: there is a key, of the configured algorithm. The very first signs at once. */
  @Transactional()
  async ensure(): Promise<void> {
    await this.keys.lock();
    const newest = (await this.keys.all()).at(-1);
    if (newest === undefined) await this.add(new Date());
    else if (newest.algorithm !== this.config.AUTH_SIGNING_ALGORITHM) await this.add(this.later());
  }

  /** A successor for the key that signs; where one is published already, that. */
  @Transactional()
  async rotate(): Promise<{ kid: string; signsFrom: Date; made: boolean }> {
    await this.keys.lock();
    const all = await this.keys.all();
    const newest = all.at(-1);
    if (newest !== undefined && newest.signsFrom.getTime() > Date.now()) {
      return { kid: newest.kid, signsFrom: newest.signsFrom, made: false };
    }
    const { kid, signsFrom } = await this.add(newest === undefined ? new Date() : this.later());
    return { kid, signsFrom, made: true };
  }

  /** Replaces a key that has signed for long, and forgets those whose last token has expired. */
  @Transactional()
  async tend(): Promise<void> {
    await this.keys.lock();
    const now = Date.now();
    const all = await this.keys.all();
    const needed = new Set(publishedAt(all, now, keptAfterMs(this.config)));
    const old = all.filter((key) => !needed.has(key)).map(({ kid }) => kid);
    if (old.length > 0) await this.keys.delete(old);
    const newest = all.at(-1);
    const maxAge = this.config.AUTH_SIGNING_KEY_MAX_AGE_SECONDS * 1000;
    if (newest !== undefined && newest === signingAt(all, now - maxAge))
      await this.add(this.later());
  }

  private async add(signsFrom: Date): Promise<SigningKeyRow> {
    const { kid, publicJwk, privateKey } = await newSigningKey(this.config.AUTH_SIGNING_ALGORITHM);
    const row: SigningKeyRow = {
      kid,
      algorithm: this.config.AUTH_SIGNING_ALGORITHM,
      publicJwk,
      sealedPrivateKey: this.sealer.seal(privateKey, sealContext(kid)),
      createdAt: new Date(),
      signsFrom,
    };
    await this.keys.insert(row);
    this.events.publish('auth.key.rotated.v1', {
      key: kid,
      data: { kid, not_before: signsFrom.toISOString() },
    });
    this.logger.log({ kid, signs_from: signsFrom }, 'made a signing key');
    return row;
  }

  private later(): Date {
    return new Date(Date.now() + this.config.AUTH_SIGNING_KEY_LEAD_SECONDS * 1000);
  }
}
