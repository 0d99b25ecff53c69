import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import {
  type EventBroker,
  type GroupDescription,
  type OutgoingRecord,
  RecordRefused,
  type Subscription,
} from '../broker/event-broker.ts';
import { Collector } from './collector.ts';
import { signal } from './signal.ts';

export interface OpenBroker {
  broker: EventBroker;
  /** Cuts its connections for good: for the engine it has died without a word. */
  sever(): Promise<void>;
}

/** A real engine with the principals of two services, `alpha` and `beta`. */
export interface BrokerEngine {
  /** A broker of this service, connected, with a session of at most a few seconds. */
  open(service: 'alpha' | 'beta'): Promise<OpenBroker>;
  close(): Promise<void>;
}

/** What the documentation of EventBroker promises, tried on a real engine. */
export function eventBrokerContract(name: string, start: () => Promise<BrokerEngine>): void {
  describe(`event broker contract: ${name}`, () => {
    let engine: BrokerEngine;
    let alpha: EventBroker;
    let opened: OpenBroker[] = [];
    let topic: string;
    let group: string;

    const open = async (service: 'alpha' | 'beta') => {
      const one = await engine.open(service);
      opened.push(one);
      return one;
    };
    const records = (count: number, key: string, prefix = ''): OutgoingRecord[] =>
      Array.from({ length: count }, (_, i) => ({ topic, key, value: `${prefix}${i}` }));
    const range = (count: number, prefix = '') =>
      Array.from({ length: count }, (_, i) => `${prefix}${i}`);

    beforeAll(async () => {
      engine = await start();
    }, 120_000);
    afterAll(() => engine.close());
    beforeEach(async () => {
      ({ broker: alpha } = await open('alpha'));
      const unique = randomUUID().slice(0, 8);
      topic = `alpha.thing-${unique}`;
      group = `alpha.group-${unique}`;
      await alpha.createTopic(topic, 4);
    });
    afterEach(async () => {
      await Promise.all(opened.map(({ broker }) => broker.close().catch(() => undefined)));
      opened = [];
    });

    describe('producing', () => {
      it('delivers key, value and headers as they were produced', async () => {
        const value = JSON.stringify({ text: 'Zoë 漢字 \u0000 \ud800 "\\', n: 1.5 });
        await alpha.produce([{ topic, key: 'a', value, headers: { 'content-type': 'x/y' } }]);
        const seen = await Collector.on(alpha, { group, topics: [topic] });
        await seen.has(1);
        expect(seen.records[0]).toMatchObject({
          topic,
          key: 'a',
          value,
          headers: { 'content-type': 'x/y' },
        });
        expect(Math.abs(Date.now() - Number(seen.records[0]?.appendedAt))).toBeLessThan(60_000);
      });

      it('delivers a tombstone as null', async () => {
        await alpha.produce([{ topic, key: 'a', value: null }]);
        const seen = await Collector.on(alpha, { group, topics: [topic] });
        await seen.has(1);
        expect(seen.values).toEqual([null]);
      });

      it('keeps the order of a key across calls and within one', async () => {
        const keys = range(20, 'key-');
        for (let call = 0; call < 5; call += 1) {
          await alpha.produce(keys.flatMap((key) => records(10, key, `${call}-`)));
        }
        const seen = await Collector.on(alpha, { group, topics: [topic] });
        await seen.has(1000);
        const expected = [0, 1, 2, 3, 4].flatMap((call) => range(10, `${call}-`));
        for (const key of keys) expect(seen.valuesOf(key)).toEqual(expected);
      });

      it('puts one key into one partition, and keys into different ones', async () => {
        await alpha.produce(range(50).flatMap((key) => records(2, key)));
        const seen = await Collector.on(alpha, { group, topics: [topic] });
        await seen.has(100);
        const partitions = Map.groupBy(seen.records, (record) => record.key);
        for (const same of partitions.values()) {
          expect(new Set(same.map((record) => record.partition)).size).toBe(1);
        }
        expect(new Set(seen.records.map((record) => record.partition)).size).toBe(4);
      });

      it('loses nothing of producers that write at the same time', async () => {
        const { broker: other } = await open('alpha');
        await Promise.all(
          range(10).map(async (writer) => {
            for (let i = 0; i < 20; i += 1) {
              const to = i % 2 === 0 ? alpha : other;
              await to.produce([
                { topic, key: `w${writer}`, value: String(2 * i) },
                { topic, key: `w${writer}`, value: String(2 * i + 1) },
                { topic, key: 'shared', value: `${writer}/${i}` },
              ]);
            }
          }),
        );
        const seen = await Collector.on(alpha, { group, topics: [topic] });
        await seen.has(600);
        for (const writer of range(10)) expect(seen.valuesOf(`w${writer}`)).toEqual(range(40));
      });

      it('says so where a record will never be taken, and takes the next', async () => {
        // Too large for Kafka, and text that PostgreSQL does not store.
        const refused = { topic, key: 'a', value: `${'x'.repeat(3_000_000)}\0` };
        await expect(alpha.produce([refused])).rejects.toBeInstanceOf(RecordRefused);
        await alpha.produce(records(1, 'a'));
        const seen = await Collector.on(alpha, { group, topics: [topic] });
        await seen.has(1);
        expect(seen.values).toEqual(['0']);
        await expect(
          alpha.produce([{ topic: `${topic}-none`, key: 'a', value: '1' }]),
        ).rejects.not.toBeInstanceOf(RecordRefused);
      });

      it('refuses a topic that does not exist', async () => {
        await expect(
          alpha.produce([{ topic: `${topic}-none`, key: 'a', value: '1' }]),
        ).rejects.toThrow();
      });

      it('refuses the topics of another service: to make, to write', async () => {
        const { broker: beta } = await open('beta');
        await expect(beta.createTopic(`alpha.made-by-beta`, 1)).rejects.toThrow();
        await expect(beta.produce([{ topic, key: 'a', value: 'forged' }])).rejects.toThrow();
        await alpha.produce([{ topic, key: 'a', value: 'true' }]);
        const seen = await Collector.on(beta, {
          group: `beta.${group.slice(6)}`,
          topics: [topic],
        });
        await seen.has(1);
        await sleep(100);
        expect(seen.values).toEqual(['true']);
      });

      it('keeps the number of partitions a topic was made with', async () => {
        await alpha.createTopic(topic, 9);
        const seen = await Collector.on(alpha, { group, topics: [topic] });
        await eventually(() => seen.subscription.assigned().length === 4, {
          timeoutMs: 10_000,
          intervalMs: 20,
        });
      });
    });

    describe('a group', () => {
      it('begins with the first record, or with what comes, as asked', async () => {
        await alpha.produce(records(3, 'a', 'old-'));
        const late = await Collector.on(alpha, {
          group: `${group}-late`,
          topics: [topic],
          from: 'latest',
        });
        await eventually(() => late.subscription.assigned().length === 4, {
          timeoutMs: 10_000,
          intervalMs: 20,
        });
        await alpha.produce(records(3, 'a', 'new-'));
        const early = await Collector.on(alpha, { group, topics: [topic] });
        await early.has(6);
        await late.has(3);
        expect(early.values).toEqual([...range(3, 'old-'), ...range(3, 'new-')]);
        expect(late.values).toEqual(range(3, 'new-'));
      });

      it('goes on where it stopped', async () => {
        await alpha.produce(records(5, 'a'));
        const first = await Collector.on(alpha, { group, topics: [topic] });
        await first.has(5);
        await first.stop();
        await alpha.produce(records(5, 'a', 'more-'));
        const second = await Collector.on(alpha, { group, topics: [topic] });
        await second.has(5);
        expect(second.values).toEqual(range(5, 'more-'));
      });

      it('shows each group every record', async () => {
        await alpha.produce(records(10, 'a'));
        const { broker: beta } = await open('beta');
        const one = await Collector.on(alpha, { group, topics: [topic] });
        const two = await Collector.on(beta, { group: `beta.${group.slice(6)}`, topics: [topic] });
        await one.has(10);
        await two.has(10);
        expect(two.values).toEqual(one.values);
      });

      it('refuses to let a service into the group of another', async () => {
        const { broker: beta } = await open('beta');
        await expect(Collector.on(beta, { group, topics: [topic] })).rejects.toThrow();
      });

      it('delivers again what a batch that failed had not settled, and goes on with other partitions', async () => {
        const keys = range(8, 'k');
        await alpha.produce(keys.flatMap((key) => records(3, key)));
        let failed: { partition: number; settled: bigint } | undefined;
        const again: bigint[] = [];
        const seen = await Collector.on(alpha, {
          group,
          topics: [topic],
          onBatch: (batch) => {
            if (failed === undefined) {
              const [first, , last] = batch.records;
              if (!first || !last) throw new Error('three records were expected');
              failed = { partition: batch.partition, settled: first.offset };
              batch.settle(first);
              batch.settle(last);
              return Promise.reject(new Error('no'));
            }
            if (batch.partition === failed.partition) {
              again.push(...batch.records.map((record) => record.offset));
            }
            return Promise.resolve();
          },
        });
        await seen.has(23);
        await sleep(200);
        expect(seen.records).toHaveLength(23);
        expect(again[0]).toBe((failed?.settled ?? -9n) + 1n);
      });

      it('calls for one batch of a partition at a time', async () => {
        const running = new Map<number, number>();
        let most = 0;
        const seen = await Collector.on(alpha, {
          group,
          topics: [topic],
          batchSize: 2,
          onBatch: async ({ partition }) => {
            const now = (running.get(partition) ?? 0) + 1;
            running.set(partition, now);
            most = Math.max(most, now);
            await sleep(5);
            running.set(partition, now - 1);
          },
        });
        for (let i = 0; i < 10; i += 1) {
          await alpha.produce(range(4, 'k').flatMap((key) => records(2, key)));
        }
        await seen.has(80);
        expect(most).toBe(1);
      });

      it('tells how far behind it is', async () => {
        await alpha.produce(records(10, 'a'));
        const { promise: blocked, resolve: release } = signal();
        const seen = await Collector.on(alpha, {
          group,
          topics: [topic],
          onBatch: () => blocked,
        });
        const lag = () => seen.subscription.lag().reduce((sum, one) => sum + one.lag, 0n);
        await eventually(() => lag() === 10n, { timeoutMs: 10_000, intervalMs: 20 });
        release();
        await eventually(() => lag() === 0n, { timeoutMs: 10_000, intervalMs: 20 });
      });

      it('waits for a topic that does not exist yet, and misses nothing of it', async () => {
        const later = `${topic}-later`;
        const seen = await Collector.on(alpha, { group, topics: [topic, later] });
        await alpha.produce(records(1, 'a', 'now-'));
        await seen.has(1);
        await alpha.createTopic(later, 2);
        await alpha.produce([{ topic: later, key: 'b', value: 'later' }]);
        await seen.has(2);
        expect(seen.values).toEqual(['now-0', 'later']);
      });

      it('ends the batch in hand before it stops, and keeps what it settled', async () => {
        await alpha.produce(records(6, 'a'));
        const { promise: started, resolve: inHand } = signal();
        let ended = false;
        const subscription: Subscription = await alpha.subscribe({
          group,
          topics: [topic],
          onBatch: async (batch) => {
            inHand();
            for (const record of batch.records.slice(0, 2)) batch.settle(record);
            while (!batch.signal.aborted) await sleep(5);
            await sleep(50);
            ended = true;
          },
        });
        await started;
        await subscription.stop();
        expect(ended).toBe(true);
        const next = await Collector.on(alpha, { group, topics: [topic] });
        await next.has(4);
        expect(next.values).toEqual(['2', '3', '4', '5']);
      });
    });

    describe('members of a group', () => {
      const share = async (members: Collector[]) => {
        const sizes = () => members.map((member) => member.subscription.assigned().length);
        await eventually(
          () =>
            sizes().reduce((a, b) => a + b, 0) === 4 &&
            Math.max(...sizes()) <= Math.ceil(4 / members.length),
          { timeoutMs: 20_000, intervalMs: 20 },
        );
      };

      it('share the partitions: each record goes to one of them', async () => {
        const { broker: second } = await open('alpha');
        const one = await Collector.on(alpha, { group, topics: [topic] });
        const two = await Collector.on(second, { group, topics: [topic] });
        await share([one, two]);
        await alpha.produce(range(40, 'k').flatMap((key) => records(2, key)));
        await eventually(() => one.records.length + two.records.length >= 80, {
          timeoutMs: 15_000,
          intervalMs: 20,
        });
        await sleep(200);
        expect(one.records.length + two.records.length).toBe(80);
        expect(one.records.length).toBeGreaterThan(0);
        expect(two.records.length).toBeGreaterThan(0);
      });

      it('keep the order of each key, and lose nothing, while they come and go under load', async () => {
        const all: { key: string; value: string }[] = [];
        const onBatch =
          (into: typeof all) =>
          async (batch: { records: readonly { key: string; value: string | null }[] }) => {
            await sleep(2);
            into.push(...batch.records.map(({ key, value }) => ({ key, value: value ?? '' })));
          };
        const keys = range(12, 'k');
        const load = (async () => {
          for (let i = 0; i < 60; i += 1) {
            await alpha.produce(keys.map((key) => ({ topic, key, value: String(i) })));
            await sleep(20);
          }
        })();
        const one = await Collector.on(alpha, { group, topics: [topic], onBatch: onBatch(all) });
        const { broker: second } = await open('alpha');
        await sleep(300);
        const two = await Collector.on(second, { group, topics: [topic], onBatch: onBatch(all) });
        await share([one, two]);
        await one.stop();
        const { broker: third } = await open('alpha');
        const three = await Collector.on(third, { group, topics: [topic], onBatch: onBatch(all) });
        await share([two, three]);
        await load;
        await eventually(() => new Set(all.map((r) => `${r.key}/${r.value}`)).size === 720, {
          timeoutMs: 20_000,
          intervalMs: 20,
        });
        for (const key of keys) {
          const firsts = [...new Set(all.filter((r) => r.key === key).map((r) => r.value))];
          expect(firsts).toEqual(range(60));
        }
      }, 60_000);

      it('take over from one that died, from its last offset on', async () => {
        const victim = await open('alpha');
        await alpha.produce(range(16, 'k').flatMap((key) => records(1, key, 'first-')));
        const dying = await Collector.on(victim.broker, { group, topics: [topic] });
        await dying.has(16);
        await eventually(() => dying.subscription.lag().every(({ lag }) => lag === 0n), {
          timeoutMs: 10_000,
          intervalMs: 20,
        });
        await victim.sever();
        const heir = await Collector.on(alpha, { group, topics: [topic] });
        await alpha.produce(range(16, 'k').flatMap((key) => records(1, key, 'second-')));
        await heir.has(16, 30_000);
        expect(new Set(heir.values)).toEqual(new Set(['second-0']));
      }, 60_000);
    });

    describe('a subscription without a group', () => {
      it('sees everything from then on, like every other one', async () => {
        await alpha.produce(records(3, 'a', 'old-'));
        const { broker: second } = await open('alpha');
        const one = await Collector.on(alpha, { topics: [topic] });
        const two = await Collector.on(second, { topics: [topic] });
        await alpha.produce(records(3, 'a', 'new-'));
        for (const seen of [one, two]) {
          await seen.has(3);
          expect(seen.values).toEqual(range(3, 'new-'));
        }
      });

      it('sees a topic that is made later from its first record on', async () => {
        const later = `${topic}-later`;
        const seen = await Collector.on(alpha, { topics: [later] });
        await alpha.createTopic(later, 2);
        await alpha.produce([{ topic: later, key: 'a', value: '1' }]);
        await seen.has(1);
        expect(seen.values).toEqual(['1']);
      });
    });

    describe('asked by an operator', () => {
      it('tells which topics there are, and what lies in their partitions', async () => {
        await alpha.produce([...records(3, 'a'), ...records(2, 'b')]);
        const described = await alpha.describeTopics([topic, `${topic}-none`]);
        expect(described.map((one) => one.topic)).toEqual([topic]);
        const partitions = described[0]?.partitions ?? [];
        expect(partitions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
        const held = partitions.reduce((sum, { first, next }) => sum + next - first, 0n);
        expect(held).toBe(5n);
        const { broker: beta } = await open('beta');
        expect((await beta.describeTopics([topic]))[0]?.partitions).toEqual(partitions);
      });

      it('tells how far behind a group is that nobody is in', async () => {
        await alpha.produce(records(5, 'a'));
        const never = await alpha.describeGroup(group, [topic]);
        expect(never.members).toEqual([]);
        expect(never.positions).toHaveLength(4);
        expect(lagOf(never)).toBe(5n);
        expect(never.positions.every(({ committed }) => committed === undefined)).toBe(true);

        const seen = await Collector.on(alpha, { group, topics: [topic] });
        await seen.has(5);
        await seen.stop();
        await alpha.produce(records(2, 'a'));
        await eventually(
          async () => {
            const left = await alpha.describeGroup(group, [topic]);
            expect(left.members).toEqual([]);
            expect(left.positions.every(({ owner }) => owner === undefined)).toBe(true);
            expect(lagOf(left)).toBe(2n);
          },
          { timeoutMs: 15_000, intervalMs: 100 },
        );
      });

      it('tells who is in a group and owns what, and the lag of all of them together', async () => {
        const { broker: second } = await open('alpha');
        const { promise: blocked, resolve: release } = signal();
        const options = { group, topics: [topic], onBatch: () => blocked };
        await Collector.on(alpha, options);
        await Collector.on(second, options);
        await alpha.produce(range(20).flatMap((key) => records(1, key)));
        await eventually(
          async () => {
            const { members, positions } = await alpha.describeGroup(group, [topic]);
            expect(members).toHaveLength(2);
            const owners = new Set(positions.map(({ owner }) => owner));
            expect([...owners].sort()).toEqual([...members].sort());
            expect(lagOf({ positions })).toBe(20n);
          },
          { timeoutMs: 20_000, intervalMs: 100 },
        );
        release();
        await eventually(
          async () => {
            expect(lagOf(await second.describeGroup(group, [topic]))).toBe(0n);
          },
          { timeoutMs: 15_000, intervalMs: 100 },
        );
      }, 60_000);

      it('refuses to describe the group of another service', async () => {
        const { broker: beta } = await open('beta');
        await expect(beta.describeGroup(group, [topic])).rejects.toThrow();
      });
    });
  });
}

function lagOf({ positions }: Pick<GroupDescription, 'positions'>): bigint {
  return positions.reduce((sum, { lag }) => sum + lag, 0n);
}
