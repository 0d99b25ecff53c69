import type { TopicPartition } from '../event-broker.ts';
import { nameOf } from './watermarks.ts';

export interface Settled extends TopicPartition {
  /** The first offset that is not settled. */
  next: bigint;
}

const AGAIN_MS = 1_000;

/**
 * Commits of one ownership, one request at a time: what is settled meanwhile goes with the next one. A commit that fails
 * is repeated, or given up with the ownership: then the records come again, to whoever owns them.
 */
export class OffsetCommits {
  private readonly due = new Map<string, Settled>();
  private running: Promise<void> | undefined;
  private again: NodeJS.Timeout | undefined;
  private over = false;
  private pause = 0;

  constructor(
    private readonly commit: (settled: readonly Settled[]) => Promise<void>,
    private readonly committed: (settled: Settled) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  add(settled: Settled): void {
    if (this.over) return;
    this.due.set(nameOf(settled), settled);
    this.begin();
  }

  /** Tries once more what is left, then commits nothing ever again. */
  async end(): Promise<void> {
    await this.running;
    if (this.due.size > 0) await this.run();
    this.abandon();
  }

  /** The ownership is lost: what is settled from now on must not move the group. */
  abandon(): void {
    this.over = true;
    this.due.clear();
    clearTimeout(this.again);
  }

  private begin(): void {
    clearTimeout(this.again);
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      if (this.due.size > 0 && !this.over) this.again = setTimeout(() => this.begin(), this.pause);
    });
  }

  private async run(): Promise<void> {
    while (this.due.size > 0 && !this.over) {
      const now = [...this.due.values()];
      this.due.clear();
      try {
        await this.commit(now);
        this.pause = 0;
        for (const settled of now) this.committed(settled);
      } catch (error) {
        for (const settled of now) {
          if (!this.due.has(nameOf(settled))) this.due.set(nameOf(settled), settled);
        }
        this.failed(error);
        this.pause = AGAIN_MS;
        return;
      }
    }
  }
}
