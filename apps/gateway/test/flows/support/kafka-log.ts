import { randomUUID } from 'node:crypto';
import { eventually } from '@gatehouse/testing';
import { type Admin, type Consumer, Kafka, logLevel } from 'kafkajs';

interface Read {
  topic: string;
  partition: number;
  offset: bigint;
  value: string;
}

/** What lies in all topics of a cluster, read by a plain consumer with a group of its own. */
export class KafkaLog {
  private readonly kafka: Kafka;
  private readonly admin: Admin;
  private readonly records: Read[] = [];
  /** Offset after the last one read, by topic and partition. */
  private readonly positions = new Map<string, bigint>();
  private consumer: Consumer | undefined;
  private topics: readonly string[] = [];

  private constructor(brokers: string) {
    this.kafka = new Kafka({
      clientId: 'flows',
      brokers: brokers.split(','),
      logLevel: logLevel.NOTHING,
    });
    this.admin = this.kafka.admin();
  }

  static async open(brokers: string): Promise<KafkaLog> {
    const log = new KafkaLog(brokers);
    await log.admin.connect();
    return log;
  }

  /** Every value that was there when this was called, tombstones aside, by topic, partition and offset. */
  async values(): Promise<string[]> {
    const topics = (await this.admin.listTopics()).filter((name) => !name.startsWith('__')).sort();
    if (topics.join() !== this.topics.join()) await this.follow(topics);
    const ends = await Promise.all(
      topics.map(async (topic) => ({ topic, ends: await this.admin.fetchTopicOffsets(topic) })),
    );
    await eventually(
      () =>
        ends.every(({ topic, ends }) =>
          ends.every(({ partition, low, high }) => {
            const position = this.positions.get(`${topic} ${partition}`) ?? 0n;
            return low === high || position >= BigInt(high);
          }),
        ),
      { timeoutMs: 15_000 },
    );
    const order = (a: Read, b: Read) =>
      a.topic.localeCompare(b.topic) || a.partition - b.partition || Number(a.offset - b.offset);
    return [...this.records].sort(order).map(({ value }) => value);
  }

  async close(): Promise<void> {
    await this.consumer?.disconnect();
    await this.admin.disconnect();
  }

  private async follow(topics: readonly string[]): Promise<void> {
    await this.consumer?.disconnect();
    this.records.splice(0);
    this.positions.clear();
    const consumer = this.kafka.consumer({ groupId: `flows-${randomUUID()}` });
    this.consumer = consumer;
    this.topics = topics;
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      eachMessage: ({ topic, partition, message }) => {
        const offset = BigInt(message.offset);
        this.positions.set(`${topic} ${partition}`, offset + 1n);
        const value = message.value?.toString();
        if (value !== undefined) this.records.push({ topic, partition, offset, value });
        return Promise.resolve();
      },
    });
  }
}
