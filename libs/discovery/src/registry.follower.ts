import { setTimeout as sleep } from 'node:timers/promises';
import { awaitEngine } from '@gatehouse/kernel';
import { Logger } from '@nestjs/common';
import type { Directory } from './directory.ts';
import type { Discovery } from './discovery.ts';
import type { DiscoveryMetrics } from './discovery.metrics.ts';
import type { RegistryStore } from './registry.store.ts';

/** At most one read in this time, however many notices come: 50 instances starting at once are a few reads. */
const MIN_PAUSE_MS = 50;

/** Keeps directory and instances current: reads the registry on every notice, and every poll without one. */
export class RegistryFollower {
  private readonly logger = new Logger('Discovery');
  private readonly abort = new AbortController();
  private wake: () => void = () => undefined;
  private due = false;
  private running?: Promise<void>;
  private stopWatching?: () => Promise<void>;
  private problem: Error | undefined = new Error('not read yet');

  constructor(
    private readonly store: RegistryStore,
    private readonly directory: Directory,
    private readonly discovery: Discovery,
    private readonly metrics: DiscoveryMetrics,
    private readonly pollMs: number,
    /** How long a start waits for the registry; ENGINE_WAIT_SECONDS. */
    private readonly waitMs = 10_000,
  ) {}

  /**
   * Reads once, then goes on in the background. A registry that does not answer yet is waited for (`awaitEngine`).
   * @throws EngineUnusable where it does not in time or refuses this process, and at once what `check` throws after the first
   * good read
   */
  async start(check: () => void = () => undefined): Promise<void> {
    await awaitEngine(() => this.read(), { ...this.store.engine, withinMs: this.waitMs });
    check();
    this.stopWatching = await this.store
      .watch(
        () => this.notice(),
        () => this.discovery.registryLost(),
      )
      .catch((error: unknown) => {
        this.logger.warn({ err: error }, 'the registry cannot be watched; it is polled alone');
        return undefined;
      });
    this.running = this.follow();
  }

  async stop(): Promise<void> {
    this.abort.abort();
    this.wake();
    await this.stopWatching?.();
    await this.running;
    this.discovery.close();
  }

  /** Reads now. @throws where the registry cannot be read; what is known stays as it is. */
  async read(): Promise<void> {
    const readAt = performance.now();
    try {
      const document = await this.store.readDirectory();
      if (document !== undefined) {
        const verdict = await this.directory.accept(document);
        this.metrics.directoryRead(verdict, this.directory.serial);
        if (verdict === 'refused')
          this.logger.error('the directory is not signed by the trust anchor; it is not used');
      }
      await this.discovery.accept(await this.store.list(), readAt);
    } catch (error) {
      this.problem = error instanceof Error ? error : new Error(String(error));
      this.discovery.registryLost();
      this.metrics.registryRead('failed', performance.now() - readAt, this.discovery);
      throw error;
    }
    this.problem = undefined;
    this.metrics.registryRead('ok', performance.now() - readAt, this.discovery);
  }

  /** @throws what the last read threw */
  assertReachable(): void {
    if (this.problem) throw this.problem;
  }

  private notice(): void {
    this.due = true;
    this.wake();
  }

  private async follow(): Promise<void> {
    const { signal } = this.abort;
    for (;;) {
      await this.pause();
      if (signal.aborted) return;
      this.due = false;
      const before = this.problem;
      try {
        await this.read();
        if (before) this.logger.log('the registry is back');
      } catch (error) {
        if (!before)
          this.logger.warn(
            { err: error },
            'the registry cannot be read; the last known instances stay',
          );
      }
    }
  }

  /** Until the next poll or a notice. */
  private async pause(): Promise<void> {
    await sleep(MIN_PAUSE_MS, undefined, { ref: false });
    if (this.due) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.pollMs - MIN_PAUSE_MS);
      timer.unref();
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.abort.signal.aborted) this.wake();
    });
  }
}
