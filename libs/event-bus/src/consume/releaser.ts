import { setTimeout as sleep } from 'node:timers/promises';

import type { CloudEvent } from '@gatehouse/contracts-platform';
import { Database } from '@gatehouse/persistence';
import { Injectable, Logger } from '@nestjs/common';

import { backoff } from '../broker/backoff.ts';
import { Wake } from '../broker/wake.ts';
import { EventBusConfig } from '../config/event-bus.config.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import { channelOf } from '../outbox/outbox-consumer.ts';
import { OutboxRelay } from '../outbox/outbox-relay.ts';
import { OutboxRow } from '../outbox/outbox.store.ts';
import type { EventHandler } from './consumer.ts';
import { ConsumerRegistry } from './consumer.registry.ts';
import { CountedTries, ProcessEnded } from './counted-tries.ts';
import { HandleInTransaction } from './handle-in-transaction.ts';
import { type Begun, type HeldEvent, HeldEventsStore } from './held-events.store.ts';
import { type EventKey, InboxStore } from './inbox.store.ts';
import { NotRetryable } from './not-retryable.ts';
import { readRecord } from './read-record.ts';
import { type RetryPolicy, verdictOf } from './verdict.ts';

/** What one step did to a key's line. `none`: nothing is due; `busy`: somebody else has the key. */
export type Step = 'handled' | 'failed' | 'none' | 'busy';

/** Appending to a line takes its lock for a moment, handling another event of it for longer. */
const BUSY_TRIES = 10;
const BUSY_PAUSE_MS = 20;

/**
 * Handles what is held: the first event of each parked key when it is due, then those behind it, in order, until the line
 * is empty and the key is free, or one fails. Every instance looks; a key's lock decides who does it.
 */
@Injectable()
export class Releaser {
  private readonly logger = new Logger(Releaser.name);
  private readonly wake = new Wake();
  private readonly active = new Map<string, Promise<void>>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private running: Promise<void> | undefined;
  private stopping = false;

  constructor(
    private readonly database: Database,
    private readonly inbox: InboxStore,
    private readonly held: HeldEventsStore,
    private readonly handle: HandleInTransaction,
    private readonly counted: CountedTries,
    private readonly consumers: ConsumerRegistry,
    private readonly relay: OutboxRelay,
    private readonly config: EventBusConfig,
    private readonly metrics: EventBusMetrics,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.wake.ring();
    await this.running;
    await Promise.all(this.active.values());
  }

  /** Something will be due then. */
  wakeIn(ms: number): void {
    if (this.stopping || ms > this.config.EVENT_POLL_MS) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.wake.ring();
    }, ms);
    this.timers.add(timer);
  }

  /** One try of the first event of a key's line, if it is due; counted before it begins, for its process may end with it. */
  async step(key: EventKey): Promise<Step> {
    const first = await this.unlessBusy(() => this.held.peek(key));
    if (typeof first === 'string') return first;
    return this.counted.among(first.unended, async () => {
      const begun = await this.unlessBusy(() => this.held.begin(key));
      if (typeof begun === 'string') return begun;
      let step: Step = 'busy';
      try {
        step = await this.unlessBusy(() => this.tryFirst(key, begun));
        return step;
      } finally {
        // Also where the database threw: then it may not take this either, and one is counted that was none.
        if (step === 'busy') await this.held.unbegin(begun.id).catch(() => undefined);
      }
    });
  }

  private async unlessBusy<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const done = await work();
      if (done !== 'busy' || tries >= BUSY_TRIES || this.isStopping()) return done;
      await sleep(BUSY_PAUSE_MS);
    }
  }

  private async tryFirst(key: EventKey, begun: Begun): Promise<Step> {
    let tried: HeldEvent | undefined;
    try {
      return await this.handle.run<Step>(key.consumer, async () => {
        if (!(await this.inbox.tryLock(key))) return { answer: 'busy' };
        const first = await this.held.first(key);
        if (first?.id !== begun.id || first.state !== 'pending') return { answer: 'none' };
        tried = first;
        const { unended } = begun;
        if (unended > 0 && first.attempts + unended >= this.config.EVENT_MAX_ATTEMPTS) {
          throw new ProcessEnded(unended);
        }
        const after = async (): Promise<Step> => {
          await this.held.remove(first);
          return 'handled';
        };
        const fresh = await this.inbox.remember(first.consumer, first.event_id);
        return fresh ? { ...this.workOf(first), after } : { answer: await after() };
      });
    } catch (error) {
      if (!tried) throw error;
      await this.judge(tried, begun.unended, error);
      return 'failed';
    }
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.isStopping()) {
      try {
        await this.startDue();
        failures = 0;
        await this.wake.sleep(this.config.EVENT_POLL_MS);
      } catch (error) {
        if (failures === 0) this.logger.warn({ err: error }, 'Held events cannot be read');
        await this.wake.sleep(backoff(failures, 200, 5_000));
        failures += 1;
      }
    }
  }

  private async startDue(): Promise<void> {
    for (const key of await this.held.due(this.config.EVENT_CONCURRENCY + this.active.size)) {
      const name = JSON.stringify([key.consumer, key.topic, key.key]);
      if (this.active.has(name) || this.active.size >= this.config.EVENT_CONCURRENCY) continue;
      this.active.set(
        name,
        this.drain(key).finally(() => this.active.delete(name)),
      );
    }
  }

  private async drain(key: EventKey): Promise<void> {
    try {
      let step: Step = 'handled';
      while (step === 'handled' && !this.isStopping()) step = await this.step(key);
      // Others may have waited for the place.
      if (step === 'failed' || step === 'none') this.wake.ring();
    } catch (error) {
      this.logger.warn({ err: error, ...key }, 'A held event could not be tried');
    }
  }

  /** @throws NotRetryable where the event has no handler, or is none */
  private workOf(held: HeldEvent): { handler: EventHandler; event: CloudEvent } {
    const channel = channelOf(held.consumer);
    if (channel !== undefined) return this.sendingOf(channel, held);
    const reading = readRecord({ topic: held.topic, value: held.value });
    if (reading.kind === 'unreadable') throw reading.error;
    if (reading.kind !== 'event') throw new NotRetryable('The record is not an event of its topic');
    const handler = this.consumers.handlerOf(held.consumer, reading.event.type);
    if (!handler) throw new NotRetryable(`Nobody handles ${reading.event.type} any more`);
    if (held.attempts > 0) this.metrics.retried.inc({ consumer: held.consumer });
    return { handler, event: reading.event };
  }

  /** A row of the outbox that was refused, or waits behind such a one, goes to its sink. */
  private sendingOf(
    channel: string,
    held: HeldEvent,
  ): { handler: EventHandler; event: CloudEvent } {
    const sink = this.relay.sinkOf(channel);
    if (!sink) throw new NotRetryable(`Nobody sends "${channel}" any more`);
    const topic = held.topic === channel ? null : held.topic;
    const row = new OutboxRow(Number(held.record.offset), held.key, topic, held.value);
    // Of some channels the payload is no event: what the context needs of one is made up.
    const { traceparent, source } = row.payload as Partial<CloudEvent>;
    const event = { id: held.event_id, type: held.consumer, source, traceparent } as CloudEvent;
    return { handler: () => sink([row]), event };
  }

  private async judge(tried: HeldEvent, unended: number, error: unknown): Promise<void> {
    // Those that did not end failed too; one that was not begun any more did not.
    const tries = error instanceof ProcessEnded ? unended : unended + 1;
    // What only could not be sent now is sent later, however often that takes.
    const patient = channelOf(tried.consumer) !== undefined && !(error instanceof NotRetryable);
    const verdict = verdictOf(error, tried.attempts + tries, {
      ...this.policy,
      ...(patient && { EVENT_MAX_ATTEMPTS: Infinity }),
    });
    await this.database.transaction(async () => {
      await this.inbox.lock(tried);
      const now = await this.held.find(tried.letter);
      if (now?.attempts !== tried.attempts || now.state !== 'pending') return;
      await this.held.judge(tried.id, tries, verdict);
    });
    const { consumer, event_id, event_type, key } = tried;
    this.metrics.failed.inc({ consumer });
    this.logger.warn(
      { err: error, consumer, event_id, event_type, key, next: verdict.state },
      'An event was not handled',
    );
    if (verdict.state === 'pending') this.wakeIn(verdict.delayMs);
  }

  private get policy(): RetryPolicy {
    const { EVENT_MAX_ATTEMPTS, EVENT_RETRY_BASE_MS, EVENT_RETRY_MAX_MS } = this.config;
    return { EVENT_MAX_ATTEMPTS, EVENT_RETRY_BASE_MS, EVENT_RETRY_MAX_MS };
  }

  private isStopping(): boolean {
    return this.stopping;
  }
}
