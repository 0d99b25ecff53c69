import { Logger } from '@nestjs/common';

import { backoff } from '../backoff.ts';
import type { PartitionLag, Subscription, TopicPartition } from '../event-broker.ts';
import { Wake } from '../wake.ts';
import { isTransient, rootOf } from './kafka-errors.ts';
import { Membership, type MembershipOptions, SessionLost } from './membership.ts';
import type { Positions } from './positions.ts';

export interface KafkaSubscriptionOptions extends Omit<MembershipOptions, 'topics'> {
  topics: readonly string[];
  /** How often to look whether a topic that did not exist does now. */
  pollMs: number;
  /** Those of the topics that exist. */
  existing: (topics: readonly string[]) => Promise<string[]>;
}

/** So many ends in a row, none of them a broker's absence: something is wrong that another try does not mend. */
const GIVE_UP_AFTER = 5;

/**
 * Keeps a member in the group. kafkajs never begins again by itself: some errors (a TypeError among them) it takes for
 * final, and its consumer is gone while the process lives on. Here every end is followed by a new member after a pause; one
 * that keeps ending for another reason than an absent broker is told by `failure`, which turns liveness red.
 */
export class KafkaSubscription implements Subscription {
  private readonly logger = new Logger(KafkaSubscription.name);
  private readonly wake = new Wake();
  private readonly started = Promise.withResolvers<undefined>();
  private member: Membership | undefined;
  private running: Promise<void> | undefined;
  private crash: Error | undefined;
  private failures = 0;
  private joining = true;
  private stopping = false;

  constructor(
    private readonly options: KafkaSubscriptionOptions,
    private readonly positions: Positions,
  ) {}

  /** Resolves when the member has joined, or waits for its topics. @throws what trying again does not mend */
  async start(): Promise<void> {
    this.running = this.run();
    await this.started.promise;
  }

  assigned(): readonly TopicPartition[] {
    return this.member?.assigned() ?? [];
  }

  lag(): readonly PartitionLag[] {
    return this.member?.lag() ?? [];
  }

  failure(): Error | undefined {
    return this.crash;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wake.ring();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping && !this.crash) {
      try {
        const topics = await this.options.existing(this.options.topics);
        if (topics.length === 0) await this.wait();
        else await this.serve(topics);
      } catch (error) {
        await this.ended(error);
      }
    }
    this.begun();
  }

  private begun(): void {
    this.joining = false;
    this.started.resolve(undefined);
  }

  private async wait(): Promise<void> {
    this.begun();
    await this.wake.sleep(this.options.pollMs);
  }

  /** Until it is to stop, or there are more topics. @throws what the member ended from */
  private async serve(topics: readonly string[]): Promise<void> {
    const member = new Membership({ ...this.options, topics }, this.positions);
    await member.join();
    this.member = member;
    this.begun();
    try {
      await this.untilOver(member, topics);
    } finally {
      await member.leave();
      this.member = undefined;
    }
  }

  private async untilOver(member: Membership, topics: readonly string[]): Promise<void> {
    const joinedAt = performance.now();
    let end: Error | undefined;
    void member.ended.then((error) => {
      end = error;
      this.wake.ring();
    });
    const complete = topics.length === this.options.topics.length;
    while (!this.stopping) {
      await this.wake.sleep(complete ? 60_000 : this.options.pollMs);
      if (end) throw end;
      if (performance.now() - joinedAt > this.options.sessionMs) this.failures = 0;
      if (complete) continue;
      const existing = await this.options.existing(this.options.topics).catch(() => topics);
      if (existing.length > topics.length) return;
    }
  }

  private async ended(error: unknown): Promise<void> {
    const { groupId } = this.options;
    const mends = isTransient(error) || error instanceof SessionLost;
    if (!mends && this.joining) {
      this.crash = rootOf(error);
      this.started.reject(this.crash);
      return;
    }
    this.failures += 1;
    if (!mends && this.failures >= GIVE_UP_AFTER) {
      this.crash = rootOf(error);
      this.logger.error({ err: error, group: groupId }, 'A subscription has ended for good');
      return;
    }
    this.logger[mends ? 'warn' : 'error'](
      { err: rootOf(error), group: groupId },
      'A consumer has ended and begins again',
    );
    await this.wake.sleep(backoff(this.failures - 1, 200, 5_000));
  }
}
