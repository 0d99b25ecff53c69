import { AuditSequencerUnavailable } from '@gatehouse/contracts-audit';
import { Lifecycle, Metrics } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { AuditConfig } from '../audit.config.ts';
import type { CanonicalLeaf } from './leaf.ts';
import { type Appended, LogTable } from './log.table.ts';

interface Waiting {
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
      this.waiting.push({ leaves, resolve, reject });
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
      try {
        const appended = await this.table.append(leaves);
        this.appended.inc(appended.filter(({ isNew }) => isNew).length);
        this.batches.observe(leaves.length);
        let from = 0;
        for (const one of batch) one.resolve(appended.slice(from, (from += one.leaves.length)));
      } catch (error) {
        const unavailable = new AuditSequencerUnavailable(undefined, {
          cause: error,
          retryAfterSeconds: 1,
        });
        for (const one of batch) one.reject(unavailable);
      }
      this.count -= leaves.length;
    }
    // In the turn in which nothing was left: whoever comes a moment later begins anew.
    this.working = undefined;
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
