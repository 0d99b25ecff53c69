import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

import { describeWithEngines, ENGINES_START_MS, eventually } from '@gatehouse/testing';
import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import type { EachBatchPayload } from 'kafkajs';

import { Collector } from '../../testing/collector.ts';
import { KafkaEngine, QUICK_SESSION_MS } from '../../testing/kafka-engine.ts';
import { KafkaSockets } from '../../testing/kafka-sockets.ts';
import { signal } from '../../testing/signal.ts';
import type { EventBroker, OutgoingRecord, TopicPartition } from '../event-broker.ts';
import { GroupServer, type GroupWork } from './group-server.ts';
import type { KafkaBroker } from './kafka-broker.ts';
import { Membership } from './membership.ts';

Logger.overrideLogger(false); // what is provoked here is not news

/** Where Nest's transport, or kafkajs under it, loses messages, stops or waits, as the design lists it. */
describeWithEngines(['kafka'], () => {
  let kafka: KafkaEngine;
  let alpha: KafkaBroker;
  let topic: string;
  let group: string;

  beforeAll(async () => {
    kafka = await KafkaEngine.start();
  }, ENGINES_START_MS);
  afterAll(() => kafka.end(), 60_000);
  beforeEach(async () => {
    alpha = await kafka.open('alpha');
    const unique = randomUUID().slice(0, 8);
    topic = `alpha.thing-${unique}`;
    group = `alpha.group-${unique}`;
    await alpha.createTopic(topic, 4);
  }, 30_000);
  afterEach(async () => {
    jest.restoreAllMocks();
    await kafka.closeAll();
  }, 60_000);

  const range = (count: number, prefix = '') =>
    Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const records = (count: number, key: string, prefix = ''): OutgoingRecord[] =>
    range(count, prefix).map((value) => ({ topic, key, value }));
  /** Two keys that lie in different partitions. */
  const twoKeys = async (): Promise<[string, string]> => {
    await alpha.produce(range(12, 'key').map((key) => ({ topic, key, value: 'probe' })));
    const seen = await Collector.on(alpha, { group: `${group}-probe`, topics: [topic] });
    await seen.has(12);
    await seen.stop();
    const [first] = seen.records;
    const other = seen.records.find(({ partition }) => partition !== first?.partition);
    return [first?.key ?? '', other?.key ?? ''];
  };
  const assignments = () => {
    const seen: (readonly TopicPartition[])[] = [];
    const onAssigned = (partitions: readonly TopicPartition[]) => {
      if (partitions.length > 0) seen.push(partitions);
    };
    return { seen, onAssigned };
  };

  describe("Nest's Kafka transport", () => {
    it('1: a handler that throws stops neither the consumer nor other partitions', async () => {
      const [bad, good] = await twoKeys();
      const { seen: joins, onAssigned } = assignments();
      let failures = 0;
      const seen = await Collector.on(alpha, {
        group,
        topics: [topic],
        from: 'latest',
        onAssigned,
        onBatch: (batch) => {
          if (failures >= 3 || batch.records[0]?.key !== bad) return Promise.resolve();
          failures += 1;
          return Promise.reject(new Error('the handler fails'));
        },
      });
      await alpha.produce(records(1, bad));
      await eventually(() => failures > 0, { timeoutMs: 10_000, intervalMs: 5 });
      await alpha.produce(records(20, good));
      await seen.has(20, 3_000); // while the other one waits for its next try
      expect(seen.valuesOf(bad)).toEqual([]);
      await seen.has(21);
      expect(failures).toBe(3);
      expect(joins).toHaveLength(1);
    });

    it('2: nothing but a batch that was settled is committed, whatever a handler gives back', async () => {
      await alpha.produce(records(3, 'a'));
      const { promise: looked, resolve: goOn } = signal();
      let tries = 0;
      const seen = await Collector.on(alpha, {
        group,
        topics: [topic],
        onBatch: () => {
          tries += 1;
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as a careless handler may
          return tries === 1 ? Promise.reject(undefined) : looked;
        },
      });
      await eventually(() => tries === 2, { timeoutMs: 15_000, intervalMs: 5 });
      expect(lagOf(await alpha.describeGroup(group, [topic]))).toBe(3n);
      goOn();
      await seen.has(3);
      expect(seen.values).toEqual(range(3));
      await eventually(async () => lagOf(await alpha.describeGroup(group, [topic])) === 0n, {
        timeoutMs: 10_000,
        intervalMs: 50,
      });
    });

    it('3: a topic that nothing handles is not committed', async () => {
      const work = { take: jest.fn() } as unknown as GroupWork;
      const server = new GroupServer(
        {
          connection: { brokers: kafka.brokers, clientId: 'test' },
          groupId: group,
          topics: [topic],
          sessionMs: QUICK_SESSION_MS,
          rebalanceMs: 60_000,
        },
        work,
      );
      const payload = { batch: { topic: `${topic}-other` } } as EachBatchPayload;
      await expect(server.handleBatch(payload)).rejects.toThrow('Nothing here handles');
      expect(work.take).not.toHaveBeenCalled();
    });

    it('4: a consumer that fails does not run another again', async () => {
      await alpha.produce(records(5, 'a'));
      let failures = 0;
      const failing = await Collector.on(alpha, {
        group: `${group}-failing`,
        topics: [topic],
        onBatch: () => {
          failures += 1;
          return failures < 4 ? Promise.reject(new Error('no')) : Promise.resolve();
        },
      });
      const other = await Collector.on(alpha, { group: `${group}-other`, topics: [topic] });
      await failing.has(5);
      expect(failures).toBe(4);
      expect(other.values).toEqual(range(5));
    });

    it('5: a value with properties named key and value stays whole, for any client', async () => {
      const value = JSON.stringify({ key: 'k', value: 'v', headers: {}, more: [1, 2] });
      await alpha.produce([{ topic, key: 'a', value }]);
      const seen = await Collector.on(alpha, { group, topics: [topic] });
      await seen.has(1);
      expect(seen.values).toEqual([value]);
    });

    it('6: a tombstone is null, and a header that looks like JSON stays text', async () => {
      const headers = { object: '{"a":1}', list: '[1]', broken: '{' };
      await alpha.produce([{ topic, key: 'a', value: null, headers }]);
      const seen = await Collector.on(alpha, { group, topics: [topic] });
      await seen.has(1);
      expect(seen.records[0]).toMatchObject({ value: null, headers });
    });

    it('7: groups are named as they are asked for', async () => {
      const seen = await Collector.on(alpha, { group, topics: [topic] });
      const admin = kafka.plain().admin();
      await admin.connect();
      const { groups } = await admin.listGroups();
      await admin.disconnect();
      const ours = groups.map(({ groupId }) => groupId).filter((id) => id.includes(group));
      expect(ours).toEqual([group]);
      await seen.stop();
    });

    it('8: however often a record fails, nothing is left out and its key keeps its order', async () => {
      await alpha.produce(records(6, 'a'));
      let failures = 0;
      const seen = await Collector.on(alpha, {
        group,
        topics: [topic],
        batchSize: 2,
        onBatch: (batch) => {
          if (batch.records[0]?.value !== '2' || failures >= 4) return Promise.resolve();
          failures += 1;
          return Promise.reject(new Error('again'));
        },
      });
      await seen.has(6, 60_000);
      expect(failures).toBe(4);
      expect(seen.values).toEqual(range(6));
    }, 90_000);

    it('9: neither partitions nor consumers wait for a handler that takes long', async () => {
      const [slow, quick] = await twoKeys();
      const { promise: blocked, resolve: release } = signal();
      const one = await Collector.on(alpha, {
        group,
        topics: [topic],
        from: 'latest',
        onBatch: (batch) => (batch.records[0]?.key === slow ? blocked : Promise.resolve()),
      });
      const two = await Collector.on(alpha, {
        group: `${group}-two`,
        topics: [topic],
        from: 'latest',
      });
      await alpha.produce(records(1, slow));
      await two.has(1, 5_000);
      await alpha.produce(records(5, quick));
      await one.has(5, 5_000);
      await two.has(6, 5_000);
      expect(one.valuesOf(slow)).toEqual([]);
      release();
      await one.has(6);
    });

    it('10: a topic may be made after the consumer began', async () => {
      const later = `${topic}-later`;
      const seen = await Collector.on(alpha, { group, topics: [later] });
      expect(seen.subscription.assigned()).toEqual([]);
      await alpha.createTopic(later, 1);
      await alpha.produce([{ topic: later, key: 'a', value: 'first' }]);
      await seen.has(1);
      expect(seen.subscription.failure()).toBeUndefined();
    });
  });

  describe('kafkajs', () => {
    it('a handler that throws a TypeError is tried again like any other', async () => {
      const crashed = jest.spyOn(Membership.prototype, 'crashed');
      const { seen: joins, onAssigned } = assignments();
      await alpha.produce(records(2, 'a'));
      let failures = 0;
      const seen = await Collector.on(alpha, {
        group,
        topics: [topic],
        onAssigned,
        onBatch: () => {
          failures += 1;
          if (failures === 1) (undefined as unknown as { boom(): void }).boom();
          return Promise.resolve();
        },
      });
      await seen.has(2);
      expect(seen.values).toEqual(range(2));
      await alpha.produce(records(1, 'a', 'next-'));
      await seen.has(3);
      // It is the same consumer; one that met a coordinator at its own start may have ended before it joined.
      const ends = crashed.mock.calls.map(([error]) => error.message);
      expect(ends.filter((message) => message.includes('boom'))).toEqual([]);
      expect(joins).toHaveLength(1);
    });

    it('a consumer that ends from a TypeError begins again', async () => {
      const seen = await Collector.on(alpha, { group, topics: [topic] });
      const crashed = jest.spyOn(Membership.prototype, 'crashed');
      jest
        .spyOn(Membership.prototype, 'take')
        .mockImplementationOnce(() => Promise.reject(new TypeError('not a function')));
      await alpha.produce(records(3, 'a'));
      await seen.has(3, 30_000);
      expect(crashed).toHaveBeenCalledTimes(1);
      expect(seen.subscription.failure()).toBeUndefined();
    }, 60_000);

    it('a consumer that keeps ending says so, for liveness', async () => {
      const seen = await Collector.on(alpha, { group, topics: [topic] });
      jest
        .spyOn(Membership.prototype, 'take')
        .mockImplementation(() => Promise.reject(new TypeError('not a function')));
      await alpha.produce(records(1, 'a'));
      await eventually(() => seen.subscription.failure()?.message === 'not a function', {
        timeoutMs: 60_000,
        intervalMs: 50,
      });
    }, 90_000);

    it('a batch that outlives the session causes no rebalance', async () => {
      const { seen: joins, onAssigned } = assignments();
      let tries = 0;
      await alpha.produce(records(2, 'a'));
      const seen = await Collector.on(alpha, {
        group,
        topics: [topic],
        onAssigned,
        onBatch: async () => {
          tries += 1;
          if (tries === 1) await sleep(1.5 * QUICK_SESSION_MS);
        },
      });
      await seen.has(2, 60_000);
      await alpha.produce(records(1, 'a', 'next-'));
      await seen.has(3);
      expect(tries).toBe(2);
      expect(joins).toHaveLength(1);
      expect(seen.values).toEqual([...range(2), 'next-0']);
    }, 60_000);

    it('a partition goes to another member only when what is in hand has ended and is committed', async () => {
      const { promise: inHand, resolve: entered } = signal();
      const { promise: blocked, resolve: release } = signal();
      let aborted = false;
      await alpha.produce(range(12, 'k').map((key) => ({ topic, key, value: key })));
      const taken: string[] = [];
      const one = await Collector.on(alpha, {
        group,
        topics: [topic],
        onBatch: async (batch) => {
          entered();
          await blocked;
          aborted = batch.signal.aborted;
          for (const record of batch.records) batch.settle(record);
          taken.push(...batch.records.map(({ key }) => key));
        },
      });
      await inHand;
      const second = await kafka.open('alpha');
      const joining = Collector.on(second, { group, topics: [topic] });
      await sleep(2_000); // the member has heard by now that somebody comes
      release();
      const two = await joining;
      expect(aborted).toBe(true);
      await sleep(500);
      expect([...taken].sort()).toEqual(range(12, 'k').sort());
      expect(two.records).toEqual([]);
      await one.stop();
    }, 60_000);

    it('the answer to a request is lost: its records are there once, and so are those of the next', async () => {
      const sockets = new KafkaSockets();
      const producer = await kafka.open('alpha', { socketFactory: sockets.factory });
      await producer.produce(records(1, 'a', 'before-'));
      sockets.loseAnswers(1);
      const first = producer.produce(records(3, 'a', 'first-'));
      const second = producer.produce(records(3, 'a', 'second-'));
      await Promise.all([first, second]);
      expect(sockets.lost).toBe(1);
      await expectAll(alpha, [
        ...range(1, 'before-'),
        ...range(3, 'first-'),
        ...range(3, 'second-'),
      ]);
    }, 60_000);

    it('a request is given up: the next one is not taken for its repeat', async () => {
      const sockets = new KafkaSockets();
      const producer = await kafka.open('alpha', { socketFactory: sockets.factory });
      await producer.produce(records(1, 'a', 'before-'));
      sockets.loseAnswers(1_000);
      await expect(producer.produce(records(3, 'a', 'first-'))).rejects.toThrow();
      sockets.mend();
      await producer.produce(records(3, 'a', 'second-'));
      await expectAll(alpha, [
        ...range(1, 'before-'),
        ...range(3, 'first-'),
        ...range(3, 'second-'),
      ]);
    }, 90_000);

    it('no timer in the past is asked for, and Node warns of none', () => {
      const run = (mode: string) =>
        spawnSync(
          process.execPath,
          [
            '--import',
            fileURLToPath(new URL('../../testing/bus/typescript-loader.mjs', import.meta.url)),
            '-C',
            '@gatehouse/source',
            fileURLToPath(new URL('../../testing/kafka-warnings.ts', import.meta.url)),
          ],
          {
            env: { ...process.env, NODE_OPTIONS: '', BROKERS: kafka.brokers.join(','), MODE: mode },
            encoding: 'utf8',
          },
        ).stderr;
      expect(run('plain')).toContain('TimeoutNegativeWarning');
      expect(run('ours')).toBe('');
    }, 60_000);
  });

  describe('leaving', () => {
    it('a member that stops is gone from its group at once', async () => {
      const seen = await Collector.on(alpha, { group, topics: [topic] });
      await seen.stop();
      expect((await alpha.describeGroup(group, [topic])).members).toEqual([]);
    });

    it('a broadcast leaves no group behind, and takes away what a crash has left', async () => {
      const own = async () => {
        const admin = kafka.plain().admin();
        await admin.connect();
        const { groups } = await admin.listGroups();
        await admin.disconnect();
        return groups.map(({ groupId }) => groupId).filter((id) => id.includes('.broadcast.'));
      };
      const sockets = new KafkaSockets();
      const dying = await kafka.open('alpha', { socketFactory: sockets.factory });
      await Collector.on(dying, { topics: [topic] });
      const [dead] = await own();
      expect(dead).toMatch(/^alpha\.broadcast\./);
      sockets.sever();
      await dying.close().catch(() => undefined);
      await sleep(1.3 * QUICK_SESSION_MS); // until the group is seen to be empty
      const heir = await Collector.on(alpha, { topics: [topic] });
      const left = await own();
      expect(left).toHaveLength(1);
      expect(left).not.toContain(dead);
      await heir.stop();
      expect(await own()).toEqual([]);
    }, 60_000);
  });

  async function expectAll(broker: EventBroker, values: string[]): Promise<void> {
    const seen = await Collector.on(broker, { group, topics: [topic] });
    await seen.has(values.length);
    await sleep(200);
    expect(seen.values).toEqual(values);
  }
});

function lagOf({ positions }: { positions: readonly { lag: bigint }[] }): bigint {
  return positions.reduce((sum, { lag }) => sum + lag, 0n);
}
