import { setTimeout as sleep } from 'node:timers/promises';

import { provisionedDatabase } from '@gatehouse/persistence/testing';
import {
  describeWithEngines,
  ENGINES_START_MS,
  type EngineSet,
  eventually,
} from '@gatehouse/testing';
import { Logger } from '@nestjs/common';

import { eventBusPlatformSql } from './broker/postgres/platform.migrations.ts';
import { eventBusMigrations } from './migrations/event-bus.migrations.ts';
import { Bus, upTo } from './testing/bus/bus-engine.ts';
import { effectsMigration, Orders } from './testing/bus/orders.ts';
import { KafkaEngine, QUICK_SESSION_MS } from './testing/kafka-engine.ts';

Logger.overrideLogger(false); // what is provoked here is not news

/** As the reliability table says it. */
const LONGEST_STALL_MS = 15_000;
const GROUP = 'beta.record';

describeWithEngines(['kafka'], () => {
  let kafka: KafkaEngine;
  let set: EngineSet;
  let bus: Bus;

  beforeAll(async () => {
    const [started, database] = await Promise.all([
      KafkaEngine.start({ kafkaNodes: 3 }),
      provisionedDatabase({
        services: { alpha: eventBusMigrations, beta: [...eventBusMigrations, effectsMigration] },
        platformSql: eventBusPlatformSql,
      }),
    ]);
    kafka = started;
    set = kafka.set;
    bus = new Bus({
      database,
      env: () => ({ ...set.env, EVENT_SESSION_MS: String(QUICK_SESSION_MS) }),
      produce: () => Promise.reject(new Error('not used')),
      close: async () => {
        await Promise.all([database.drop(), kafka.end()]);
      },
    });
  }, ENGINES_START_MS);
  afterAll(() => bus.close(), 120_000);

  /** The broker that keeps the group's offsets and members: `kafka-2`. */
  const coordinatorOf = async (group: string) => {
    const admin = kafka.plain().admin();
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: ['__consumer_offsets'] });
    await admin.disconnect();
    const partitions = topics[0]?.partitions ?? [];
    const keeper = Math.abs(javaHashOf(group)) % partitions.length;
    const leader = partitions.find(({ partitionId }) => partitionId === keeper)?.leader;
    if (leader === undefined) throw new Error(`nobody keeps ${group}`);
    return `kafka-${leader}` as const;
  };

  it('what several topics hold is told to a client that knows none of them yet', async () => {
    const alpha = await kafka.open('alpha');
    const topics = upTo(4).map((i) => `alpha.several-${i}`);
    for (const topic of topics) await alpha.createTopic(topic, 4);
    const partitions = async () => {
      const asker = await kafka.open('alpha');
      const described = await asker.describeTopics(topics);
      await asker.close();
      return described.map((each) => each.partitions.length);
    };
    // A broker may not have heard of a topic that another has just made.
    await eventually(async () => expect(await partitions()).toEqual([4, 4, 4, 4]), {
      timeoutMs: 60_000,
    });
    for (let round = 0; round < 60; round++) expect(await partitions()).toEqual([4, 4, 4, 4]);
  }, 120_000);

  it('one of three brokers is killed under load: nothing is lost, nothing doubled, no key stalls for long', async () => {
    const keys = upTo(8).map((i) => `key-${i}`);
    const arrivals = new Map(keys.map((key) => [key, [] as number[]]));
    await bus.start('beta', {
      beforeEffect: ({ partitionkey }) => arrivals.get(partitionkey)?.push(performance.now()),
    });
    const orders = (await bus.start('alpha')).get(Orders);
    const load = new AbortController();
    let placed = 0;
    const loading = (async () => {
      for (; !load.signal.aborted; placed += 1) {
        for (const key of keys) await orders.place(key, [placed]);
        await sleep(20);
      }
    })();
    const moreOfEach = async (count: number) => {
      const before = new Map([...arrivals].map(([key, times]) => [key, times.length]));
      await eventually(
        () => {
          const behind = keys.filter(
            (key) => (arrivals.get(key)?.length ?? 0) < (before.get(key) ?? 0) + count,
          );
          expect(behind).toEqual([]);
        },
        { timeoutMs: 90_000, intervalMs: 50 },
      );
    };
    try {
      await moreOfEach(10);
      // The one that hurts most: the group is its own, and it leads partitions besides.
      const victim = await coordinatorOf(GROUP);
      await set.kill(victim);
      await moreOfEach(10);
      expect(await coordinatorOf(GROUP)).not.toBe(victim);
      await set.start('kafka');
      await moreOfEach(10);
    } finally {
      load.abort();
      await loading;
    }
    for (const key of keys) await bus.settled(key, upTo(placed), 60_000);
    const stalls = [...arrivals.values()].flatMap((times) =>
      times.slice(1).map((at, n) => at - (times[n] ?? at)),
    );
    expect(Math.max(...stalls)).toBeLessThan(LONGEST_STALL_MS);
  }, 300_000);
});

/** `String.hashCode` of Java. */
function javaHashOf(text: string): number {
  let hash = 0;
  for (const character of text) hash = (31 * hash + character.charCodeAt(0)) | 0;
  return hash;
}
