import type { JsonWebKey, KeyObject } from 'node:crypto';

import { SigningKeyUnavailable } from '@gatehouse/contracts-auth';
import type { SigningAlgorithm } from '@gatehouse/guards';
import { Health, Lifecycle } from '@gatehouse/kernel';
import { Sealer } from '@gatehouse/persistence';
import { Injectable, Logger } from '@nestjs/common';

import { AuthConfig } from '../auth.config.ts';
import { AuthMetrics } from '../auth.metrics.ts';
import { KeyRotation, sealContext } from './key-rotation.ts';
import { signingAt } from './key-schedule.ts';
import { readSigningKey } from './signing-key.ts';
import { SigningKeyStore } from './signing-key.store.ts';

export interface RingKey {
  kid: string;
  algorithm: SigningAlgorithm;
  publicJwk: JsonWebKey;
  privateKey: KeyObject;
  signsFrom: Date;
}

const READ_EVERY_MS = 10_000;
const TEND_EVERY_MS = 60_000;

/**
 * The signing keys in memory, read again every ten seconds, which is well before a new one signs: all instances change
 * over at the same instant, without asking anybody.
 */
@Injectable()
export class KeyRing {
  private readonly logger = new Logger(KeyRing.name);
  private keys: RingKey[] = [];
  private readonly timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly store: SigningKeyStore,
    private readonly rotation: KeyRotation,
    private readonly sealer: Sealer,
    private readonly metrics: AuthMetrics,
    config: AuthConfig,
    lifecycle: Lifecycle,
    health: Health,
  ) {
    lifecycle.onStart('registry', 'signing keys', async () => {
      await this.rotation.ensure();
      await this.read();
      this.every(READ_EVERY_MS, () => this.read());
      this.every(TEND_EVERY_MS, () => this.tend());
    });
    lifecycle.onStop('close', 'signing keys', () => this.timers.forEach(clearInterval));
    health.addReadiness('signing-keys', () => void this.current());
    const lifetime = config.AUTH_SIGNING_KEY_MAX_AGE_SECONDS + config.AUTH_SIGNING_KEY_LEAD_SECONDS;
    metrics.watchSigningKey(() => {
      const key = signingAt(this.keys, Date.now());
      if (key === undefined) return undefined;
      const signsFrom = key.signsFrom.getTime() / 1000;
      return { signsFrom, expiry: signsFrom + lifetime };
    });
  }

  /** The key that signs now. @throws SigningKeyUnavailable */
  current(): RingKey {
    const key = signingAt(this.keys, Date.now());
    if (key === undefined) throw new SigningKeyUnavailable();
    return key;
  }

  /** Reads the table; keys that are here already are not unsealed again. */
  async read(): Promise<void> {
    const held = new Map(this.keys.map((key) => [key.kid, key]));
    this.keys = (await this.store.all()).map(
      ({ kid, algorithm, publicJwk, sealedPrivateKey, signsFrom }) => ({
        kid,
        algorithm,
        publicJwk,
        signsFrom,
        privateKey:
          held.get(kid)?.privateKey ??
          readSigningKey(this.sealer.open(sealedPrivateKey, sealContext(kid))),
      }),
    );
  }

  private async tend(): Promise<void> {
    try {
      await this.rotation.tend();
      this.metrics.keyRotations.inc({ result: 'ok' });
    } catch (error) {
      this.metrics.keyRotations.inc({ result: 'failed' });
      throw error;
    }
  }

  private every(ms: number, work: () => Promise<void>): void {
    const run = (): void =>
      void work().catch((error: unknown) =>
        this.logger.warn({ err: error }, 'signing keys could not be looked after; trying again'),
      );
    this.timers.push(setInterval(run, ms).unref());
  }
}
