import { setTimeout as sleep } from 'node:timers/promises';

import type { DeadLetterReason } from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { EventBusConfig } from '../config/event-bus.config.ts';
import { type HeldEvent, HeldEventsStore } from '../consume/held-events.store.ts';
import { InboxStore } from '../consume/inbox.store.ts';
import { Releaser } from '../consume/releaser.ts';
import { DeadLetterNotFound } from './errors.ts';

const VERDICT_WITHIN_MS = 2_000;
const VERDICT_EVERY_MS = 50;

/** An event that a consumer could not handle and that waits for an operator; its key is parked. */
export interface DeadLetter {
  /** UUIDv7 */
  id: string;
  consumer: string;
  topic: string;
  key: string;
  /** The event's id, or `<topic>/<partition>/<offset>` of a record that is not an event. */
  event_id: string;
  event_type: string | null;
  attempts: number;
  reason: DeadLetterReason | null;
  /** The record as it came: JSON, unless that is what was wrong with it. */
  value: string;
  partition: number;
  offset: string;
  held_at: Date;
  failed_at: Date | null;
}

/** All of what is said. */
export interface DeadLetterFilter {
  consumer?: string;
  /** The type of the event. */
  type?: string;
  /** `code` of the reason. */
  reason?: string;
  /** Failed last at this time or later. */
  failedFrom?: Date;
  /** Failed last before this time. */
  failedBefore?: Date;
}

export interface DeadLetterQuery extends DeadLetterFilter {
  /** The id of the last one seen. */
  after?: string;
  /** Default 25. */
  limit?: number;
}

/** `pending`: another instance tries it, or its verdict is not known yet. */
export type ReplayOutcome = 'handled' | 'failed' | 'pending';

/** The dead letters of the service. */
@Injectable()
export class DeadLetters {
  constructor(
    private readonly database: Database,
    private readonly inbox: InboxStore,
    private readonly held: HeldEventsStore,
    private readonly releaser: Releaser,
    private readonly config: EventBusConfig,
  ) {}

  /** Oldest first. */
  async list({ limit = 25, ...query }: DeadLetterQuery = {}): Promise<DeadLetter[]> {
    return (await this.held.dead({ ...query, limit })).map(toDeadLetter);
  }

  /** With the number of events that wait behind it. @throws DeadLetterNotFound */
  async get(id: string): Promise<DeadLetter & { waiting: number }> {
    const held = await this.held.find(id);
    if (held?.state !== 'dead') throw new DeadLetterNotFound();
    return { ...toDeadLetter(held), waiting: await this.held.waitingBehind(held) };
  }

  /**
   * One more try, now. Handled, the key's later events follow in order; failed, it is a dead letter again.
   * @throws DeadLetterNotFound
   */
  async replay(id: string): Promise<ReplayOutcome> {
    const held = await this.withDead(id, (dead) =>
      this.held.revive(dead.id, this.config.EVENT_MAX_ATTEMPTS - 1),
    );
    const step = await this.releaser.step(held);
    if (step !== 'failed') this.releaser.wakeIn(0);
    return step === 'handled' || step === 'failed' ? step : this.outcomeOf(id);
  }

  /** Somebody else was quicker to try what was revived: what became of it, if that is soon known. */
  private async outcomeOf(id: string): Promise<ReplayOutcome> {
    const until = performance.now() + VERDICT_WITHIN_MS;
    for (;;) {
      const held = await this.held.find(id);
      if (!held) return 'handled';
      if (held.state === 'dead') return 'failed';
      if (performance.now() > until) return 'pending';
      await sleep(VERDICT_EVERY_MS);
    }
  }

  /** Gives the event up: it counts as taken, and the key's later events follow. @throws DeadLetterNotFound */
  async discard(id: string): Promise<void> {
    await this.withDead(id, async (dead) => {
      await this.inbox.remember(dead.consumer, dead.event_id);
      await this.held.remove(dead);
    });
    this.releaser.wakeIn(0);
  }

  private async withDead(id: string, work: (dead: HeldEvent) => Promise<void>): Promise<HeldEvent> {
    return this.database.transaction(async () => {
      const seen = await this.held.find(id);
      if (!seen) throw new DeadLetterNotFound();
      await this.inbox.lock(seen);
      const dead = await this.held.find(id);
      if (dead?.state !== 'dead') throw new DeadLetterNotFound();
      await work(dead);
      return dead;
    });
  }
}

function toDeadLetter(held: HeldEvent): DeadLetter {
  const {
    consumer,
    topic,
    key,
    event_id,
    event_type,
    attempts,
    reason,
    value,
    held_at,
    failed_at,
  } = held;
  const { partition, offset } = held.record;
  return {
    id: held.letter,
    consumer,
    topic,
    key,
    event_id,
    event_type,
    attempts,
    reason,
    value,
    partition,
    offset,
    held_at,
    failed_at,
  };
}
