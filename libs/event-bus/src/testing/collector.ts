import { eventually } from '@gatehouse/testing';

import type {
  BrokerRecord,
  EventBroker,
  RecordBatch,
  SubscribeOptions,
  Subscription,
} from '../broker/event-broker.ts';

/** A subscription that remembers what it was given. */
export class Collector {
  readonly records: BrokerRecord[] = [];
  subscription!: Subscription;

  static async on(
    broker: EventBroker,
    options: Omit<SubscribeOptions, 'onBatch'> & {
      onBatch?: (batch: RecordBatch) => Promise<void>;
    },
  ): Promise<Collector> {
    const collector = new Collector();
    collector.subscription = await broker.subscribe({
      ...options,
      onBatch: async (batch) => {
        await options.onBatch?.(batch);
        collector.records.push(...batch.records);
      },
    });
    return collector;
  }

  get values(): (string | null)[] {
    return this.records.map((record) => record.value);
  }

  valuesOf(key: string): (string | null)[] {
    return this.records.filter((record) => record.key === key).map((record) => record.value);
  }

  async has(count: number, timeoutMs = 15_000): Promise<void> {
    await eventually(
      () => {
        if (this.records.length < count) {
          throw new Error(`${this.records.length} of ${count} records have arrived`);
        }
        return true;
      },
      { timeoutMs, intervalMs: 10 },
    );
  }

  stop(): Promise<void> {
    return this.subscription.stop();
  }
}
