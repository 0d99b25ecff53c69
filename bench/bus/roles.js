// What a worker can be: each role connects and gives the jobs it can do.
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@gatehouse/kernel';
import { EventBusMetrics } from '../../libs/event-bus/dist/config/event-bus.metrics.js';
import { quietRequestQueue } from '../../libs/event-bus/dist/broker/kafka/request-queue.js';
import { eventHeaders } from '../../libs/event-bus/dist/publish/event-headers.js';
import { Orders } from '../../libs/event-bus/dist/testing/bus/orders.js';
import { startService } from '../../libs/event-bus/dist/testing/bus/test-service.js';
import kafkajs from './kafkajs.js';

const { KAFKA_BROKERS, BARE_TOPIC, EVENT_PARTITIONS } = process.env;
const TICK_MS = 5;

export const ROLES = { alpha, beta, 'bare producer': bareProducer, 'bare consumer': bareConsumer };

/** Milliseconds of a clock that all processes of the machine share. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

const cpuMicros = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** A service as it is in production: what the tests make quick is set back. */
const asDeployed = (credentials) => ({
  KAFKA_BROKERS,
  EVENT_PARTITIONS,
  GATEHOUSE_CREDENTIALS_DIR: credentials,
  LOG_LEVEL: 'error',
  DATABASE_POOL_TIMEOUT_MS: '60000', // a busy machine is measured too, not refused
  EVENT_SESSION_MS: '10000',
  EVENT_POLL_MS: '1000',
  OUTBOX_LEASE_MS: '5000',
});

/** Publishes, and relays where it holds the leases. */
async function alpha() {
  const service = await startService('alpha', asDeployed(process.env.ALPHA_CREDENTIALS));
  const orders = service.get(Orders);
  const { relayed } = service.get(EventBusMetrics);
  const countRelayed = async () => {
    const { values } = await relayed.get();
    return values.reduce((sum, { value }) => sum + value, 0);
  };
  return {
    /** One transaction of many events; nothing of them is there to be relayed before it commits. */
    async fill({ count, keys, round }) {
      await orders.database.transaction(async () => {
        for (let n = 0; n < count; n++) {
          const key = `${round}-${n % keys}`;
          orders.events.publish('alpha.order.placed.v1', { key, data: { order_id: key, n } });
        }
      });
      return { committedAt: now() };
    },
    /** Until so many more are sent and deleted. */
    async relay({ count }) {
      const until = (await countRelayed()) + count;
      const before = cpuMicros();
      const givenUpAt = now() + 120_000;
      while ((await countRelayed()) < until) {
        if (now() > givenUpAt) throw new Error('the outbox does not drain here');
        await sleep(TICK_MS);
      }
      return { endedAt: now(), cpuMicros: cpuMicros() - before };
    },
    pace: (order) =>
      pace(order, async (n, key) => {
        await orders.place(key, [n]);
        return now(); // it is committed now
      }),
  };
}

async function beta() {
  const arrivals = new Arrivals();
  await startService('beta', asDeployed(process.env.BETA_CREDENTIALS), {
    beforeEffect: (event) => arrivals.add(event.data.n),
    seen: { push: () => undefined },
    broadcast: { push: () => undefined },
  });
  return { collect: (order) => arrivals.collect(order) };
}

/** Without the idle timers of kafkajs, which cost the yardstick CPU that nobody need spend. */
function bareKafka() {
  quietRequestQueue();
  return new kafkajs.Kafka({ brokers: [KAFKA_BROKERS], logLevel: 0 });
}

/** The form of the records that the relay sends. */
function recordOf(key, n) {
  const event = {
    specversion: '1.0',
    id: newId(),
    source: 'alpha',
    type: 'alpha.order.placed.v1',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    dataschema: 'urn:gatehouse:event:alpha.order.placed.v1',
    partitionkey: key,
    data: { order_id: key, n },
    sequence: n,
  };
  return { key, value: JSON.stringify(event), headers: eventHeaders(event) };
}

async function bareProducer() {
  const producer = bareKafka().producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  return {
    /** From memory, a request after the other. */
    async send({ count, keys, batch }) {
      const records = Array.from({ length: count }, (_, n) => recordOf(`${n % keys}`, n));
      const before = cpuMicros();
      const began = now();
      for (let from = 0; from < count; from += batch) {
        const messages = records.slice(from, from + batch);
        await producer.sendBatch({ acks: -1, topicMessages: [{ topic: BARE_TOPIC, messages }] });
      }
      return { seconds: (now() - began) / 1e3, cpuMicros: cpuMicros() - before };
    },
    pace: (order) =>
      pace(order, async (n, key) => {
        const at = now();
        await producer.send({ topic: BARE_TOPIC, acks: -1, messages: [recordOf(key, n)] });
        return at;
      }),
  };
}

async function bareConsumer() {
  const arrivals = new Arrivals();
  const consumer = bareKafka().consumer({ groupId: 'bare' });
  await consumer.connect();
  await consumer.subscribe({ topics: [BARE_TOPIC], fromBeginning: false });
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.GROUP_JOIN, resolve);
    consumer
      .run({
        partitionsConsumedConcurrently: Number(EVENT_PARTITIONS),
        eachMessage: ({ message }) => {
          arrivals.add(JSON.parse(message.value.toString()).data.n);
          return Promise.resolve();
        },
      })
      .catch(reject);
  });
  return { collect: (order) => arrivals.collect(order) };
}

/** Begins so many a second, whether or not earlier ones have ended; gives for each the time that `one` says. */
async function pace({ first, count, rate, keys }, one) {
  const before = cpuMicros();
  const began = now();
  const running = [];
  while (running.length < count) {
    const due = Math.min(count, Math.ceil(((now() - began) / 1e3) * rate));
    while (running.length < due) {
      const n = first + running.length;
      running.push(one(n, `paced-${n % keys}`));
    }
    await sleep(TICK_MS);
  }
  const times = await Promise.all(running);
  return { times, cpuMicros: cpuMicros() - before };
}

/** When each number was first seen. */
class Arrivals {
  seen = new Map();

  add(n) {
    if (!this.seen.has(n)) this.seen.set(n, now());
  }

  async collect({ first, count }) {
    const before = cpuMicros();
    const numbers = Array.from({ length: count }, (_, n) => first + n);
    const givenUpAt = now() + 120_000;
    while (!numbers.every((n) => this.seen.has(n))) {
      if (now() > givenUpAt) throw new Error('not every event has arrived');
      await sleep(50);
    }
    const times = numbers.map((n) => this.seen.get(n));
    this.seen.clear();
    return { times, cpuMicros: cpuMicros() - before };
  }
}
