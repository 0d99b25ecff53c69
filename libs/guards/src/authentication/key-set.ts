import { ServiceUnavailable } from '@gatehouse/contracts-platform';

import type { KeySetSource } from './key-set.source.ts';
import { type VerificationKey, verificationKeys } from './signed-key-set.ts';

export interface KeySetOptions {
  /** How often the set is read again, in milliseconds; default one minute. */
  refreshIntervalMs?: number;
  /** The least time between two reads that unknown key ids cause, in milliseconds; default ten seconds. */
  unknownKeyIntervalMs?: number;
  /** Called with what went wrong when the set could not be read. */
  onError?: (error: unknown) => void;
  /** Seconds since the epoch. */
  now?: () => number;
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 1000;

/**
 * Auth's public signing keys, kept in memory and read again every minute. While Auth is away the last set serves until
 * the `exp` that Auth gave it; then, and before the first set, every question is answered with ServiceUnavailable (503),
 * never 401. However many unknown key ids arrive, they cause at most one read each ten seconds.
 */
export class KeySet {
  private keys = new Map<string, VerificationKey>();
  private issuedAt = 0;
  private expiresAt = 0;
  private loading: Promise<void> | undefined;
  private lastUnknownKeyRead = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  private failures = 0;
  private readonly now: () => number;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly source: KeySetSource,
    private readonly options: KeySetOptions = {},
  ) {
    this.now = options.now ?? (() => Date.now() / 1000);
  }

  /** Begins to read the set in the background. */
  start(): void {
    if (this.running) return;
    this.running = true;
    void this.cycle();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
  }

  ready(): boolean {
    return this.now() < this.expiresAt;
  }

  /** Resolves once a set in force has been read. */
  whenReady(): Promise<void> {
    if (this.ready()) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** The key of that id, or undefined. @throws ServiceUnavailable while no set is in force */
  find(kid: string): VerificationKey | undefined {
    if (!this.ready())
      throw new ServiceUnavailable('The signing keys are not at hand.', { retryAfterSeconds: 1 });
    return this.keys.get(kid);
  }

  /** Reads the set now; calls at the same time share one read. Rejects where it cannot be had. */
  refresh(): Promise<void> {
    this.loading ??= this.load().finally(() => (this.loading = undefined));
    return this.loading;
  }

  /**
   * A token named a key id that is not here: it may be new. At most one read an interval, whoever asks; a read that
   * is under way already is waited for.
   * @returns true once a read has ended well, false where none was due or it failed
   */
  async refreshForUnknownKey(): Promise<boolean> {
    if (this.loading === undefined) {
      const now = performance.now();
      if (now - this.lastUnknownKeyRead < (this.options.unknownKeyIntervalMs ?? 10_000))
        return false;
      this.lastUnknownKeyRead = now;
    }
    try {
      await this.refresh();
      return true;
    } catch (error) {
      this.options.onError?.(error);
      return false;
    }
  }

  private async load(): Promise<void> {
    const document = await this.source.load();
    if (document.expiresAt <= this.now()) throw new Error('the key set has expired');
    // A set older than the one held would bring withdrawn keys back.
    if (document.issuedAt < this.issuedAt) return;
    this.keys = verificationKeys(document.keys, this.keys);
    this.issuedAt = document.issuedAt;
    this.expiresAt = document.expiresAt;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private async cycle(): Promise<void> {
    let pause = this.options.refreshIntervalMs ?? 60_000;
    try {
      await this.refresh();
      this.failures = 0;
    } catch (error) {
      this.options.onError?.(error);
      pause = Math.min(pause, MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures++);
    }
    // stop() may have been called while the set was being read.
    if (this.running) this.timer = setTimeout(() => void this.cycle(), pause).unref();
  }
}
