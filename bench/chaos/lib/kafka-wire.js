import { randomUUID } from 'node:crypto';
import { eventually } from '@gatehouse/testing';
import kafkajs from 'kafkajs';
import { eventOf } from './wire.js';

const { Kafka, logLevel } = kafkajs;
const TOPIC = /^(auth|identity|authz|audit)\.[a-z_-]+$/;

/** A consumer of our own on every topic of the platform, from the beginning. @returns {Promise<import('./wire.js').Wire>} */
export async function kafkaWire(brokers) {
  const kafka = new Kafka({
    clientId: 'chaos',
    brokers,
    logLevel: logLevel.NOTHING,
    retry: { retries: 30 },
  });
  const admin = kafka.admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => TOPIC.test(topic));
  const consumer = kafka.consumer({
    groupId: `chaos-${randomUUID()}`,
    sessionTimeout: 10_000,
    rebalanceTimeout: 10_000,
  });
  const seen = new Map();
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ topic, partition, message }) => {
      // Read again after a rebalance, a record is still the same one.
      const place = `${topic}/${partition}/${message.offset}`;
      seen.set(place, {
        topic,
        partition,
        offset: Number(message.offset),
        value: message.value?.toString(),
      });
      return Promise.resolve();
    },
  });
  return {
    async events() {
      await eventually(async () => (await heldOf(admin, topics)) <= seen.size, {
        timeoutMs: 30_000,
        intervalMs: 200,
      });
      return [...seen.values()]
        .sort(
          (a, b) =>
            a.topic.localeCompare(b.topic) || a.partition - b.partition || a.offset - b.offset,
        )
        .flatMap(({ value }) => (value === undefined ? [] : eventOf(value)));
    },
    async produce(_service, topic, key, value) {
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      await producer.send({ topic, messages: [{ key, value }] });
      await producer.disconnect();
    },
    async close() {
      await consumer.disconnect().catch(() => undefined);
      await admin.disconnect().catch(() => undefined);
    },
  };
}

/** How many records the topics have. */
async function heldOf(admin, topics) {
  let sum = 0;
  for (const topic of topics) {
    for (const { high, low } of await admin.fetchTopicOffsets(topic))
      sum += Number(high) - Number(low);
  }
  return sum;
}
