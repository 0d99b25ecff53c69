import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineUnusable } from '@gatehouse/kernel';
import { Logger } from '@nestjs/common';
import type { DiscoveryMetrics } from './discovery.metrics.ts';
import { SIGNATURE_LIFETIME_MS, signEntry } from './documents/instance.entry.ts';
import { LEASE_MS } from './instance.table.ts';
import type { RegistryStore } from './registry.store.ts';

/** Who is announced. `addresses` is asked at every signature, once the listeners are up. */
export interface Announced {
  service: string;
  instanceId: string;
  version: string;
  key: KeyObject;
  addresses: () => {
    httpUrl?: string | undefined;
    grpcAddress?: string | undefined;
    adminUrl?: string | undefined;
  };
}

/** Milliseconds; other values than these are for tests. */
export interface AnnouncementTimes {
  lease: number;
  renew: number;
  retry: number;
  resign: number;
}

const TIMES: AnnouncementTimes = {
  lease: LEASE_MS,
  renew: 3_000,
  retry: 1_000,
  resign: SIGNATURE_LIFETIME_MS / 2,
};
const REMOVE_TIMEOUT_MS = 2_000;

/**
 * Keeps this instance in the registry: a lease of ten seconds renewed every three, under a signature of an hour
 * renewed at half. A registry that is away at start, or loses the row later, gets it again within a renewal.
 */
export class Announcement {
  private readonly logger = new Logger('Discovery');
  private readonly abort = new AbortController();
  private digest?: string;
  private entry?: { text: string; freshUntil: number } | undefined;
  private lastSignedAt = 0;
  /** A put that failed may have been carried out all the same. */
  private attempted = false;
  private registered = false;
  private running?: Promise<void>;
  private inReach = true;

  constructor(
    private readonly store: RegistryStore,
    private readonly announced: Announced,
    private readonly metrics: DiscoveryMetrics,
    private readonly times: AnnouncementTimes = TIMES,
  ) {}

  /** The manifest this instance serves; before phase `register`, or later to announce another. */
  set(manifest: { bytes: Uint8Array; digest: string }): void {
    this.digest = manifest.digest;
    this.entry = undefined;
  }

  /**
   * Registers, or where the registry is away goes on trying in the background.
   * @throws EngineUnusable where it is there and refuses this process
   */
  async start(): Promise<void> {
    const failure = await this.beat();
    const { engine, address, variable, refusal } = this.store.engine;
    const refused = failure === undefined ? undefined : refusal(failure);
    if (refused !== undefined) {
      const why = failure instanceof Error ? failure.message : String(failure);
      throw new EngineUnusable(
        `${engine} at ${address} (${variable}) does not register this service: ${refused}: ${why}`,
        { cause: failure },
      );
    }
    this.running = this.keep();
  }

  /** Takes the instance out of the registry at once; where that fails, its lease runs out. */
  async stop(): Promise<void> {
    this.abort.abort();
    await this.running;
    if (!this.attempted) return;
    try {
      const { service, instanceId } = this.announced;
      await withTimeout(this.store.remove(service, instanceId), REMOVE_TIMEOUT_MS);
      this.metrics.registration('remove', 'ok');
    } catch (error) {
      this.metrics.registration('remove', 'failed');
      this.logger.warn(
        { err: error },
        'could not leave the registry; the lease runs out by itself',
      );
    }
  }

  private async keep(): Promise<void> {
    const { signal } = this.abort;
    for (;;) {
      const pause = this.inReach ? this.times.renew : this.times.retry;
      await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      await this.beat();
    }
  }

  /** @returns why it failed */
  private async beat(): Promise<unknown> {
    const { service, instanceId } = this.announced;
    let operation: 'put' | 'renew' = 'put';
    try {
      if (this.registered && this.entry && performance.now() < this.entry.freshUntil) {
        operation = 'renew';
        const renewed = await this.store.renew(service, instanceId, this.times.lease);
        this.metrics.registration('renew', renewed ? 'ok' : 'lost');
        if (!renewed) {
          this.logger.warn('the registry no longer had this instance; registering again');
          operation = 'put';
          await this.put();
        }
      } else {
        await this.put();
      }
      if (!this.inReach) this.logger.log('the registry is back; this instance is registered');
      this.inReach = true;
      return undefined;
    } catch (error) {
      this.metrics.registration(operation, 'failed');
      if (this.inReach)
        this.logger.warn({ err: error }, 'could not reach the registry; trying again');
      this.inReach = false;
      return error;
    }
  }

  private async put(): Promise<void> {
    const { service, instanceId } = this.announced;
    const entry =
      this.entry && performance.now() < this.entry.freshUntil ? this.entry : await this.sign();
    this.attempted = true;
    await this.store.put(service, instanceId, entry.text, this.times.lease);
    this.registered = true;
    this.metrics.registration('put', 'ok');
  }

  private async sign(): Promise<{ text: string; freshUntil: number }> {
    const { service, instanceId, version, key, addresses } = this.announced;
    const { httpUrl, grpcAddress, adminUrl } = addresses();
    // Strictly later than the one before, since the latest signature wins.
    const signedAt = Math.max(Date.now(), this.lastSignedAt + 1);
    this.lastSignedAt = signedAt;
    const text = await signEntry(
      {
        service,
        instanceId,
        version,
        signedAt: new Date(signedAt),
        ...(httpUrl !== undefined && { httpUrl }),
        ...(grpcAddress !== undefined && { grpcAddress }),
        ...(adminUrl !== undefined && { adminUrl }),
        ...(this.digest !== undefined && { manifestDigest: this.digest }),
      },
      key,
    );
    this.entry = { text, freshUntil: performance.now() + this.times.resign };
    return this.entry;
  }
}

function withTimeout<T>(work: Promise<T>, ms: number): Promise<T> {
  const abort = new AbortController();
  const late = sleep(ms, undefined, { signal: abort.signal, ref: false }).then(() => {
    throw new Error(`no answer within ${ms} ms`);
  });
  late.catch(() => undefined);
  return Promise.race([work, late]).finally(() => abort.abort());
}
