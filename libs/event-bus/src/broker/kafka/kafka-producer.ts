import type { ICustomPartitioner, Message, Producer, RecordMetadata, TopicMessages } from 'kafkajs';
import kafkajs from 'kafkajs';

import type { OutgoingRecord } from '../event-broker.ts';
import { clientConfig, type KafkaConnection } from './kafka-client.ts';
import { isTransient } from './kafka-errors.ts';

/** What goes in one request, at most, in bytes; a broker takes 1 MiB a partition unless told otherwise. */
const REQUEST_BYTES = 900_000;
const REQUEST_RECORDS = 5_000;
/** What a record takes besides its key, value and headers, rounded up. */
const RECORD_BYTES = 70;

interface Sending {
  /** In order; each fits in a request. */
  parts: readonly (readonly OutgoingRecord[])[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * An idempotent producer that may be used by many at once. What is produced while a request is on its way goes together
 * in the next one; there is never more than one, for kafkajs 2.2.4 cannot keep its sequence numbers apart otherwise:
 *
 * - After a request whose answer was lost it gives the next sender the same numbers. The broker takes those records for
 *   repeats, acknowledges them and drops them. So nobody sends before the request at hand has ended, and a producer
 *   whose request failed in the end is not used again: the next one has an id, and numbers, of its own.
 * - When a partition moves to a broker that has answered its own part already, kafkajs does not send the rest and still
 *   resolves. So every partition that was written to must be in the answer.
 */
export class KafkaProducer {
  private readonly kafka: kafkajs.Kafka;
  private readonly waiting: Sending[] = [];
  private current: Promise<Producer> | undefined;
  private working: Promise<void> | undefined;
  private written = new Set<string>();
  private closed = false;

  constructor(connection: KafkaConnection) {
    this.kafka = new kafkajs.Kafka(clientConfig(connection));
  }

  /** Resolves when all replicas that count have the records. Rejected, none or some of them may be there. */
  send(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.closed) return Promise.reject(new Error('The connection to Kafka is closed'));
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiting.push({ parts: inParts(records), resolve, reject });
      this.begin();
    });
  }

  /** Sends what was given to it, then disconnects. */
  async close(): Promise<void> {
    this.closed = true;
    await this.working;
    await this.abandon();
  }

  private begin(): void {
    this.working ??= this.work().finally(() => {
      this.working = undefined;
      if (this.waiting.length > 0) this.begin();
    });
  }

  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      const together = this.next();
      const failure = await this.attempt(together);
      if (failure === undefined) {
        for (const { resolve } of together) resolve();
      } else if (together.length === 1 || isTransient(failure)) {
        for (const { reject } of together) reject(failure);
      } else {
        await this.oneByOne(together); // one of them is refused: the others need not suffer for it
      }
    }
  }

  private async oneByOne(sendings: readonly Sending[]): Promise<void> {
    for (const sending of sendings) {
      const failure = await this.attempt([sending]);
      if (failure === undefined) sending.resolve();
      else sending.reject(failure);
    }
  }

  /** As many as fit in one request; one that does not fit goes alone, in parts. */
  private next(): Sending[] {
    const [first] = this.waiting;
    if (!first || first.parts.length > 1) return this.waiting.splice(0, 1);
    let records = 0;
    let bytes = 0;
    let count = 0;
    for (const { parts } of this.waiting) {
      const [part = [], ...more] = parts;
      records += part.length;
      bytes += part.reduce((sum, record) => sum + sizeOf(record), 0);
      if (more.length > 0 || records > REQUEST_RECORDS || bytes > REQUEST_BYTES) break;
      count += 1;
    }
    return this.waiting.splice(0, Math.max(count, 1));
  }

  /** Returns what was thrown; then no later part was sent, and the producer is not used again. */
  private async attempt(sendings: readonly Sending[]): Promise<unknown> {
    try {
      if (sendings.length === 1)
        for (const part of sendings[0]?.parts ?? []) await this.sendNow(part);
      else await this.sendNow(sendings.flatMap(({ parts }) => parts.flat()));
      return undefined;
    } catch (error) {
      await this.abandon();
      return error ?? new Error('The producer failed without an error');
    }
  }

  private async sendNow(records: readonly OutgoingRecord[]): Promise<void> {
    const producer = await (this.current ??= this.open());
    this.written = new Set();
    const topicMessages: TopicMessages[] = [...Map.groupBy(records, ({ topic }) => topic)].map(
      ([topic, ofTopic]) => ({ topic, messages: ofTopic.map(toMessage) }),
    );
    const answer = await producer.sendBatch({ topicMessages, acks: -1 });
    const missing = missingIn(answer, this.written);
    if (missing.length > 0) {
      throw new Error(`Kafka did not acknowledge what was sent to ${missing.join(', ')}`);
    }
  }

  private async open(): Promise<Producer> {
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: this.rememberingPartitioner,
    });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      this.current = undefined;
      await producer.disconnect().catch(() => undefined);
      throw error;
    }
  }

  private async abandon(): Promise<void> {
    const producer = await this.current?.catch(() => undefined);
    this.current = undefined;
    await producer?.disconnect().catch(() => undefined);
  }

  /** By key, as Java's clients do, so that every client finds a key where the others put it. */
  private readonly rememberingPartitioner: ICustomPartitioner = () => {
    const partitionOf = kafkajs.Partitioners.DefaultPartitioner();
    return (args) => {
      const partition = partitionOf(args);
      this.written.add(`${args.topic}/${partition}`);
      return partition;
    };
  };
}

/** Partitions, `<topic>/<partition>`, that were written to and that the answer does not acknowledge. */
export function missingIn(
  answer: readonly Pick<RecordMetadata, 'topicName' | 'partition' | 'errorCode'>[],
  written: ReadonlySet<string>,
): string[] {
  const acknowledged = new Set(
    answer
      .filter(({ errorCode }) => errorCode === 0)
      .map(({ topicName, partition }) => `${topicName}/${partition}`),
  );
  return [...written].filter((name) => !acknowledged.has(name));
}

function toMessage({ key, value, headers }: OutgoingRecord): Message {
  return { key, value, ...(headers && { headers: { ...headers } }) };
}

function inParts(records: readonly OutgoingRecord[]): OutgoingRecord[][] {
  const parts: OutgoingRecord[][] = [];
  let part: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = sizeOf(record);
    if (part.length > 0 && (bytes + size > REQUEST_BYTES || part.length >= REQUEST_RECORDS)) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += size;
  }
  return part.length > 0 ? [...parts, part] : parts;
}

function sizeOf({ key, value, headers = {} }: OutgoingRecord): number {
  let bytes = RECORD_BYTES + Buffer.byteLength(key) + Buffer.byteLength(value ?? '');
  for (const [name, text] of Object.entries(headers)) {
    bytes += name.length + Buffer.byteLength(text) + 4;
  }
  return bytes;
}
