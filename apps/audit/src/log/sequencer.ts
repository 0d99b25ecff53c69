import { AuditSequencerUnavailable } from '@gatehouse/contracts-audit';
import { Lifecycle, Metrics } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { AuditConfig } from '../audit.config.ts';
import type { CanonicalLeaf } from './leaf.ts';
import { type Appended, LogTable } from './log.table.ts';

interface Waiting {
  /** On the clock of `performance.now()`. */
  since: number;
  leaves: readonly CanonicalLeaf[];
  resolve(appended: Appended[]): void;
  reject(error: unknown): void;
}

/**
 * Appends to the log. Whatever waits while a commit is under way goes into the next one, so that the cost of a commit
 * is shared. Across instances each commit is alone: see `LogTable`.
 */
@Injectable()
export class Sequencer {
  private readonly waiting: Waiting[] = [];
  private count = 0;
  private working: Promise<void> | undefined;
  private readonly appended;
  private readonly batches;
  private readonly durations;
  private readonly failures;
  /** When the oldest of what is being appended came. */
  private appendingSince: number | undefined;

  constructor(
    private readonly table: LogTable,
    private readonly config: AuditConfig,
    metrics: Metrics,
    lifecycle: Lifecycle,
  ) {
    this.appended = metrics.counter(
      'audit_entries_appended_total',
      'Entries that were appended to the log',
      [],
    );
    this.batches = metrics.histogram(
      'audit_append_batch_size',
      'Entries of one commit',
      [],
      [1, 5, 20, 100, 500, 2000],
    );
    this.durations = metrics.histogram(
      'audit_append_duration_seconds',
      'Time of one commit to the log',
    );
    this.failures = metrics.counter(
      'audit_append_failures_total',
      'Commits to the log that failed; whoever recorded tries again',
    );
    this.watch(metrics);
    lifecycle.onStop('flush', 'audit log', () => this.working);
  }

  /**
   * Resolves when all of them are durable, in the order given.
   * @throws AuditSequencerUnavailable when too many wait, or the log cannot be written
   */
  append(leaves: readonly CanonicalLeaf[]): Promise<Appended[]> {
    if (leaves.length === 0) return Promise.resolve([]);
    if (this.count + leaves.length > this.config.AUDIT_MAX_WAITING) {
      return Promise.reject(
        new AuditSequencerUnavailable('Too many entries wait to be appended.', {
          retryAfterSeconds: 1,
        }),
      );
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ since: performance.now(), leaves, resolve, reject });
      this.count += leaves.length;
      this.working ??= this.work();
    });
  }

  private async work(): Promise<void> {
    // What is asked for in the same turn shares the first commit.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.take();
      const leaves = batch.flatMap((one) => one.leaves);
      this.appendingSince = batch[0]?.since;
      const ended = this.durations.startTimer();
      try {
        const appended = await this.table.append(leaves);
        this.appended.inc(appended.filter(({ isNew }) => isNew).length);
        this.batches.observe(leaves.length);
        let from = 0;
        for (const one of batch) one.resolve(appended.slice(from, (from += one.leaves.length)));
      } catch (error) {
        this.failures.inc();
        const unavailable = new AuditSequencerUnavailable(undefined, {
          cause: error,
          retryAfterSeconds: 1,
        });
        for (const one of batch) one.reject(unavailable);
      }
      ended();
      this.appendingSince = undefined;
      this.count -= leaves.length;
    }
    // In the turn in which nothing was left: whoever comes a moment later begins anew.
    this.working = undefined;
  }

  private watch(metrics: Metrics): void {
    metrics.readGauge(
      'audit_sequencer_waiting_entries',
      'Entries that wait for the commit that appends them',
      [],
      (show) => show(this.count),
    );
    metrics.readGauge(
      'audit_sequencer_waiting_max',
      'Entries that may wait; more are refused',
      [],
      (show) => show(this.config.AUDIT_MAX_WAITING),
    );
    metrics.readGauge(
      'audit_sequencer_lag_seconds',
      'Age of the oldest entry that is not appended yet; 0 where none waits',
      [],
      (show) => {
        const since = this.appendingSince ?? this.waiting[0]?.since;
        show(since === undefined ? 0 : (performance.now() - since) / 1000);
      },
    );
  }

  private take(): Waiting[] {
    let size = 0;
    let end = 0;
    for (const { leaves } of this.waiting) {
      if (end > 0 && size + leaves.length > this.config.AUDIT_MAX_BATCH) break;
      size += leaves.length;
      end += 1;
    }
    return this.waiting.splice(0, end);
  }
}
