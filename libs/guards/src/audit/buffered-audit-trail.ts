import { newRequestContext, requestContext } from '@gatehouse/kernel';

import type { AuditInput, AuditRecord } from './audit-entry.ts';
import { auditRecord } from './audit-record.ts';
import { AuditTrail } from './audit-trail.ts';
import { PendingAudit } from './pending-audit.ts';

/** Where a buffer's entries go. */
export interface AuditSink {
  record(entry: AuditRecord): Promise<void>;
  recordAll(entries: readonly AuditRecord[]): Promise<void>;
}

export interface BufferedAuditTrailOptions {
  /** The most entries kept; default 10,000 (about 10 MB). */
  capacity?: number;
  /** How long an entry waits for company, in milliseconds; default 200. */
  flushIntervalMs?: number;
  /** Called with how many entries were dropped because the buffer was full. */
  onOverflow?: (dropped: number) => void;
  /** Called when a batch could not be handed over; it is tried again. */
  onError?: (error: unknown) => void;
}

const BATCH = 500;
const MAX_RETRY_MS = 5000;

/**
 * For a process without a schema: entries wait in a bounded buffer and go to Audit in batches, again and again until
 * taken (they are idempotent by id). While Audit is away the buffer fills; then new entries are dropped and counted.
 */
export class BufferedAuditTrail extends AuditTrail {
  private readonly waiting: AuditRecord[] = [];
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;
  private failures = 0;
  private readonly capacity: number;
  private readonly flushIntervalMs: number;

  constructor(
    private readonly sink: AuditSink,
    private readonly options: BufferedAuditTrailOptions = {},
  ) {
    super();
    this.capacity = options.capacity ?? 10_000;
    this.flushIntervalMs = options.flushIntervalMs ?? 200;
  }

  get size(): number {
    return this.waiting.length;
  }

  override record(entry: AuditInput): Promise<void> {
    this.add(entry);
    return Promise.resolve();
  }

  override async recordNow(entry: AuditInput): Promise<void> {
    await this.sink.record(auditRecord(entry));
    PendingAudit.settle(entry);
  }

  /** As `record`, for hot paths: nothing to wait for. */
  add(entry: AuditInput): void {
    if (this.waiting.length >= this.capacity) {
      this.options.onOverflow?.(1);
      return;
    }
    this.waiting.push(auditRecord(entry));
    this.schedule(this.flushIntervalMs);
  }

  /** Hands over everything that waits; for the end of the process. What Audit does not take by the deadline is counted as dropped. */
  async flush(deadlineMs = 5000): Promise<void> {
    const end = performance.now() + deadlineMs;
    while (this.waiting.length > 0 && performance.now() < end) {
      clearTimeout(this.timer);
      this.timer = undefined;
      await this.send();
      if (this.failures > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    clearTimeout(this.timer);
    this.timer = undefined;
    const left = this.waiting.splice(0).length;
    if (left > 0) this.options.onOverflow?.(left);
  }

  private schedule(ms: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.send().then(() => {
        if (this.waiting.length > 0) this.schedule(this.pause());
      });
    }, ms).unref();
  }

  private pause(): number {
    return this.failures === 0
      ? 0
      : Math.min(MAX_RETRY_MS, this.flushIntervalMs * 2 ** this.failures);
  }

  private send(): Promise<void> {
    this.sending ??= this.sendBatch().finally(() => (this.sending = undefined));
    return this.sending;
  }

  private async sendBatch(): Promise<void> {
    const batch = this.waiting.slice(0, BATCH);
    if (batch.length === 0) return;
    try {
      // Entries of many requests: the call belongs to none of them, though the first of them has set it off.
      await requestContext.run(newRequestContext(), () => this.sink.recordAll(batch));
      this.waiting.splice(0, batch.length);
      this.failures = 0;
    } catch (error) {
      this.failures += 1;
      this.options.onError?.(error);
    }
  }
}
