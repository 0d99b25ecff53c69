import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { newRequestContext, newTrace, requestContext } from '@gatehouse/kernel';
import { type ChildProcessHandle, eventually } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { RecordRefused } from '../broker/event-broker.ts';
import { DeadLetters } from '../dead-letters/dead-letters.ts';
import { Outbox } from '../outbox/outbox.ts';
import { outboxPartitionOf } from '../outbox/outbox-partition.ts';
import { Bus, type BusEngine, upTo } from './bus/bus-engine.ts';
import { Orders } from './bus/orders.ts';
import { signal } from './signal.ts';
import { withoutDatabaseContract } from './without-database.contract.ts';

/** So often, at least, others are seen at work beside a transaction that is open for long. */
const SEEN_OPEN = 5;

/** What issue and architecture promise of the whole bus, on a real database and a real broker. */
export function eventBusContract(name: string, start: () => Promise<BusEngine>): void {
  describe(`event bus contract: ${name}`, () => {
    let bus: Bus;
    let key: string;

    // Open while the other tests run: none of them may notice.
    const slow = {
      key: 'slow',
      open: true,
      seenOpen: 0,
      committed: Promise.resolve(),
      behind: Promise.resolve(),
    };

    const isOpen = () => slow.open;

    beforeAll(async () => {
      bus = new Bus(await start());
      const writer = await bus.writer('alpha');
      await new Promise<void>((drawn) => {
        slow.committed = writer.placeAndCommitLate(slow.key, 1, async () => {
          drawn();
          await sleep(30_000, undefined, { ref: false });
          // However slow the machine: the others are to be seen at work meanwhile.
          while (slow.seenOpen <= SEEN_OPEN) await sleep(100, undefined, { ref: false });
          slow.open = false;
        });
      });
      slow.behind = writer.placeAndCommitLate(slow.key, 2, () => Promise.resolve());
      // Cut off where only some of the tests are run; awaited where all are.
      for (const writing of [slow.committed, slow.behind]) writing.catch(() => undefined);
    }, 120_000);
    afterAll(() => bus.close(), 60_000);
    beforeEach(() => {
      key = `${randomUUID().slice(0, 8)}-`;
    });
    afterEach(async () => {
      const delivered = await bus.numbers(slow.key);
      if (slow.open) {
        expect(delivered).toEqual([]);
        slow.seenOpen += 1;
      }
      await bus.stopAll();
    }, 60_000);

    const orders = async () => (await bus.start('alpha')).get(Orders);

    describe('publishing', () => {
      it('delivers an event with its trace, its actor, its source and its place in the line', async () => {
        const beta = await bus.start('beta');
        const alpha = await orders();
        const trace = newTrace(true);
        const context = newRequestContext({
          trace,
          principal: {
            id: 'user-1',
            type: 'user',
            sessionId: 's',
            clientId: 'c',
            token: 't',
            expiresAt: 0,
          },
        });
        await requestContext.run(context, () => alpha.place(key, [7, 8]));
        await bus.settled(key, [7, 8]);
        const [first, second] = beta.behaviour.seen;
        expect(first?.actor).toBe('user-1');
        expect(first?.event).toMatchObject({
          specversion: '1.0',
          source: 'alpha',
          type: 'alpha.order.placed.v1',
          partitionkey: key,
          sequence: 1,
          userid: 'user-1',
          data: { order_id: key, n: 7 },
        });
        expect(first?.event.traceparent).toContain(trace.traceId);
        expect(second?.event.sequence).toBe(2);
      });

      it('sends nothing of a transaction that rolls back', async () => {
        const alpha = await orders();
        const failing = alpha.place(key, [1], () => Promise.reject(new Error('no')));
        await expect(failing).rejects.toThrow('no');
        await bus.start('beta');
        await alpha.place(key, [2]);
        await bus.settled(key, [2]);
      });

      it('refuses to publish outside of a transaction, and what the schema refuses', async () => {
        const alpha = await orders();
        const publish = (data: object) => () =>
          alpha.events.publish('alpha.order.placed.v1', { key, data: data as never });
        expect(publish({ order_id: key, n: 1 })).toThrow('outside a transaction');
        const wrong = alpha.database.transaction(async () => {
          publish({ order_id: key, n: 'one' })();
          await Promise.resolve();
        });
        await expect(wrong).rejects.toThrow('/n');
      });

      it('keeps the order of a key whose writers race', async () => {
        const beta = await bus.start('beta');
        const one = await orders();
        const two = await orders();
        await Promise.all(
          upTo(8).map(async (writer) => {
            for (let i = 0; i < 20; i += 1) {
              await (writer % 2 === 0 ? one : two).place(key, [writer]);
            }
          }),
        );
        await eventually(async () => (await bus.effects(key)).length === 160, {
          timeoutMs: 30_000,
          intervalMs: 50,
        });
        const sequences = beta.behaviour.seen
          .filter(({ event }) => event.partitionkey === key)
          .map(({ event }) => event.sequence);
        expect(sequences).toEqual(upTo(160).map((i) => i + 1));
      }, 60_000);
    });

    describe('relaying', () => {
      it('has one relay per partition, and another takes over when it is killed', async () => {
        await bus.start('beta');
        const doomed = await bus.startChild('alpha', 'publish');
        const two = await orders();
        const from = doomed.stdout.length;
        await sleep(700);
        await doomed.kill('SIGKILL');
        expect(doomed.stdout.length).toBeGreaterThan(from);
        await two.place(key, [1]);
        await bus.outboxIsEmpty();
        await bus.settled(key, [1]);
        for (const k of upTo(10).map((i) => `k${i}`)) {
          const placed = [...doomed.stdout.matchAll(new RegExp(`PLACED ${k} (\\d+)\n`, 'g'))];
          await eventually(
            async () => {
              const found = await bus.numbers(k);
              // The last one may have committed without being able to say so.
              return found.length >= placed.length && found.length <= placed.length + 1;
            },
            { timeoutMs: 20_000, intervalMs: 50 },
          );
          const found = await bus.numbers(k);
          expect(found).toEqual(upTo(found.length));
        }
      }, 90_000);

      it('is woken by the commit of an instance that does not relay', async () => {
        await bus.start('beta', {}, { EVENT_POLL_MS: '60000' });
        const patient = { EVENT_POLL_MS: '60000', OUTBOX_LEASE_MS: '30000' };
        await bus.start('alpha', {}, patient);
        const other = (await bus.start('alpha', {}, patient)).get(Orders);
        await sleep(200);
        await other.place(key, [1]);
        await bus.settled(key, [1], 5_000);
      });

      it('lets no channel wait for the sink of another', async () => {
        await bus.start('beta');
        let open = false;
        const taken: unknown[] = [];
        const service = await bus.start('alpha', {
          auditSink: async (rows) => {
            if (!open) throw new Error('audit is down');
            taken.push(...rows.map((row) => row.payload));
            await Promise.resolve();
          },
        });
        const outbox = service.get(Outbox);
        const placing = service.get(Orders);
        await placing.database.transaction(async () => {
          await outbox.enqueue('audit', 'user-1', { entry: 1 });
          await outbox.enqueue('audit', 'user-1', { entry: 2 });
          await placing.place(key, [1]);
        });
        await bus.settled(key, [1]);
        expect(taken).toEqual([]);
        open = true;
        await eventually(() => taken.length >= 2, { timeoutMs: 10_000, intervalMs: 20 });
        expect(taken).toEqual([{ entry: 1 }, { entry: 2 }]);
      });

      describe('a row that its sink refuses for good', () => {
        interface Entry {
          who: string;
          n: number;
        }
        /** Takes all of what it is given, or nothing. */
        const sinkOf = (state: { taken: Entry[]; refused: number[]; away: number[] }) => ({
          auditSink: (rows: readonly { payload: unknown }[]) => {
            const entries = rows.map(({ payload }) => payload as Entry);
            if (entries.some(({ n }) => state.refused.includes(n))) {
              return Promise.reject(new RecordRefused('too large'));
            }
            const away = entries.find(({ n }) => state.away.includes(n));
            if (away) {
              state.away.splice(state.away.indexOf(away.n), 1);
              return Promise.reject(new Error('audit is away'));
            }
            state.taken.push(...entries);
            return Promise.resolve();
          },
        });
        const begin = async () => {
          const state = { taken: [] as Entry[], refused: [13], away: [] as number[] };
          const alpha = await bus.start('alpha', sinkOf(state));
          const enqueue = (who: string, ...numbers: number[]) =>
            alpha.get(Orders).database.transaction(async () => {
              for (const n of numbers) {
                await alpha.get(Outbox).enqueue('audit', `${key}${who}`, { who, n });
              }
            });
          const has = (who: string, numbers: number[]) =>
            eventually(
              () => {
                const own = state.taken.filter((entry) => entry.who === who).map(({ n }) => n);
                expect(own).toEqual(numbers);
              },
              { timeoutMs: 15_000 },
            );
          const letter = () =>
            eventually(
              async () => {
                const found = await alpha.get(DeadLetters).list({ consumer: 'outbox:audit' });
                const [own] = found.filter((one) => one.key === `${key}ann`);
                if (!own) throw new Error('no dead letter yet');
                return own;
              },
              { timeoutMs: 15_000 },
            );
          const waiting = (count: number) =>
            eventually(
              async () => {
                const { id } = await letter();
                expect((await alpha.get(DeadLetters).get(id)).waiting).toBe(count);
              },
              { timeoutMs: 15_000 },
            );
          await enqueue('ann', 1, 13, 14);
          await enqueue('bob', 1, 2);
          return { state, alpha, enqueue, has, letter, waiting };
        };

        it('is a dead letter; later rows of its key wait, other keys go on', async () => {
          const { state, alpha, enqueue, has, letter, waiting } = await begin();
          await has('bob', [1, 2]);
          await waiting(1);
          expect(await letter()).toMatchObject({ topic: 'audit', attempts: 1 });
          await enqueue('ann', 15);
          await enqueue('bob', 3);
          await has('bob', [1, 2, 3]);
          await waiting(2);
          await has('ann', [1]);

          const { id } = await letter();
          await expect(alpha.get(DeadLetters).replay(id)).resolves.toBe('failed');
          state.refused = [];
          // That the destination is away for a while makes no dead letter of it.
          state.away = [14, 14, 14, 14, 14];
          await expect(alpha.get(DeadLetters).replay(id)).resolves.toBe('handled');
          await has('ann', [1, 13, 14, 15]);
          await eventually(
            async () =>
              (await bus.sql(`SELECT FROM alpha.held_events WHERE key = $1`, [`${key}ann`]))
                .length === 0,
          );
          await enqueue('ann', 16, 17);
          await has('ann', [1, 13, 14, 15, 16, 17]);
        });

        it('is given up by a discard, and those behind it are sent', async () => {
          const { alpha, enqueue, has, letter, waiting } = await begin();
          await waiting(1);
          await alpha.get(DeadLetters).discard((await letter()).id);
          await has('ann', [1, 14]);
          await enqueue('ann', 15);
          await has('ann', [1, 14, 15]);
        });
      });

      it('sends what is committed before it stops', async () => {
        const alpha = await bus.start('alpha');
        await alpha.get(Orders).place(key, upTo(50));
        await alpha.stop();
        expect(await bus.sql(`SELECT FROM alpha.outbox WHERE key = $1`, [key])).toEqual([]);
        await bus.start('beta');
        await bus.settled(key, upTo(50));
      });
    });

    describe('consuming', () => {
      it('makes one effect of an event whose consumer is killed between effect and commit', async () => {
        const alpha = await orders();
        const doomed = await bus.startChild('beta', 'hang');
        await alpha.place(key, [1]);
        await eventually(() => doomed.stdout.includes(`EFFECT ${key} 1`), {
          timeoutMs: 20_000,
          intervalMs: 20,
        });
        expect(await bus.numbers(key)).toEqual([]);
        await doomed.kill('SIGKILL');
        await bus.start('beta');
        await alpha.place(key, [2]);
        await bus.settled(key, [1, 2], 30_000);
      }, 90_000);

      it('makes one effect of an event that is delivered again and again', async () => {
        const beta = await bus.start('beta');
        const alpha = await orders();
        await alpha.place(key, [1]);
        await bus.settled(key, [1]);
        const known = beta.behaviour.seen.find(({ event }) => event.partitionkey === key)?.event;
        const record = { topic: 'alpha.order', key, value: JSON.stringify(known) };
        await bus.engine.produce('alpha', [record, record]);
        await alpha.place(key, [2]);
        await bus.engine.produce('alpha', [record]);
        await alpha.place(key, [3]);
        await bus.settled(key, [1, 2, 3]);
      });

      it('makes one effect when the owner sleeps through its session and wakes again', async () => {
        const alpha = await orders();
        const timeout = { EVENT_HANDLER_TIMEOUT_MS: '4000' };
        const sleeper = await bus.startChild('beta', 'hang', timeout);
        await alpha.place(key, [1]);
        await eventually(() => sleeper.stdout.includes(`EFFECT ${key} 1`), {
          timeoutMs: 20_000,
          intervalMs: 20,
        });
        await sleeper.kill('SIGSTOP');
        await bus.start('beta', {}, timeout);
        await alpha.place(key, [2]);
        await bus.settled(key, [1, 2], 30_000);
        await sleeper.kill('SIGCONT');
        await sleep(1_500);
        expect(await bus.numbers(key)).toEqual([1, 2]);
      }, 90_000);

      it('shares the keys among instances, in order and once each, while they come and go', async () => {
        const alpha = await orders();
        const keys = upTo(12).map((i) => `${key}${i}`);
        // The load outlasts every change of hands, however long an instance waits for its share.
        let ended = false;
        let placed = 0;
        const load = async () => {
          for (; !ended; placed += 1) {
            await Promise.all(keys.map((k) => alpha.place(k, [placed])));
            await sleep(20);
          }
        };
        const takesPart = (name: string) =>
          eventually(
            async () => (await bus.effects(key)).some(({ instance }) => instance === name),
            { timeoutMs: 30_000, intervalMs: 50 },
          );
        const comeAndGo = async () => {
          const one = await bus.start('beta', { instance: 'one' });
          await takesPart('one');
          await bus.start('beta', { instance: 'two' });
          await takesPart('two');
          await one.stop();
          await bus.start('beta', { instance: 'three' });
          await takesPart('three');
        };
        await Promise.all([load(), comeAndGo().finally(() => (ended = true))]);
        for (const k of keys) await bus.settled(k, upTo(placed), 30_000);
      }, 120_000);

      it('shows a broadcast to every instance', async () => {
        const one = await bus.start('beta');
        const two = await bus.start('beta');
        await (await orders()).place(key, [1, 2]);
        for (const { behaviour } of [one, two]) {
          await eventually(
            () => behaviour.broadcast.filter((event) => event.partitionkey === key).length === 2,
            { timeoutMs: 10_000, intervalMs: 20 },
          );
        }
      });

      it('ends the event in hand before it stops', async () => {
        const { promise: inHand, resolve: entered } = signal();
        const beta = await bus.start('beta', {
          afterEffect: async (event) => {
            if (event.partitionkey !== key) return;
            entered();
            await sleep(300);
          },
        });
        await (await orders()).place(key, [1]);
        await inHand;
        await beta.stop();
        expect(await bus.numbers(key)).toEqual([1]);
      });
    });

    it('finds what commits late: a transaction open for 30 s delays only its own keys', async () => {
      await bus.start('beta');
      const alpha = await orders();
      // Whoever remembers how far the relay came remembers it of a partition.
      const besides = upTo(1_000).map((i) => `${key}${i}`);
      const beside = besides.find((k) => outboxPartitionOf(k) === outboxPartitionOf(slow.key));
      if (beside === undefined) throw new Error('no key shares the partition');
      for (let n = 0; n === 0 || isOpen(); n += 1) {
        await alpha.place(beside, [n]);
        await bus.settled(beside, upTo(n + 1));
        const delivered = await bus.numbers(slow.key);
        if (!isOpen()) continue;
        expect(delivered).toEqual([]);
        slow.seenOpen += 1;
      }
      expect(slow.seenOpen).toBeGreaterThan(SEEN_OPEN);
      await Promise.all([slow.committed, slow.behind]);
      await bus.settled(slow.key, [1, 2]);
    }, 90_000);

    describe('an event that cannot be handled', () => {
      const poison = (bad: number) => ({
        afterEffect: (event: { data: { n: number }; partitionkey: string }) => {
          if (event.partitionkey.endsWith('bad') && event.data.n === bad) {
            (undefined as unknown as { boom(): void }).boom(); // a TypeError
          }
        },
      });
      const deadLetter = async (letters: DeadLetters) =>
        eventually(
          async () => {
            const found = (await letters.list({ limit: 200 })).find((one) =>
              one.key.startsWith(key),
            );
            if (!found) throw new Error('no dead letter yet');
            return found;
          },
          { timeoutMs: 20_000, intervalMs: 25 },
        );

      it('is tried again, then a dead letter; its key is parked, other keys go on', async () => {
        const beta = await bus.start('beta', poison(1));
        const alpha = await orders();
        await alpha.place(`${key}bad`, [0, 1, 2, 3]);
        await alpha.place(`${key}good`, upTo(20));
        await bus.settled(`${key}good`, upTo(20));
        const letters = beta.get(DeadLetters);
        const letter = await deadLetter(letters);
        expect(letter).toMatchObject({
          consumer: 'record',
          topic: 'alpha.order',
          key: `${key}bad`,
          event_type: 'alpha.order.placed.v1',
          attempts: 3,
          reason: { code: 'INTERNAL_ERROR' },
        });
        expect(letter.reason?.message).toContain('boom');
        await eventually(async () => (await letters.get(letter.id)).waiting === 2, {
          timeoutMs: 10_000,
          intervalMs: 20,
        });
        expect(await bus.numbers(`${key}bad`)).toEqual([0]);
        expect(
          beta.behaviour.seen.filter(
            ({ event }) => event.data.n === 1 && event.partitionkey === `${key}bad`,
          ),
        ).toHaveLength(3);
      });

      it('is handled by a replay once it can be, and the events behind it follow in order', async () => {
        const broken = await bus.start('beta', poison(1));
        const alpha = await orders();
        await alpha.place(`${key}bad`, [0, 1, 2, 3]);
        const { id } = await deadLetter(broken.get(DeadLetters));
        await expect(broken.get(DeadLetters).replay(id)).resolves.toBe('failed');
        await broken.stop();
        const mended = await bus.start('beta');
        await alpha.place(`${key}bad`, [4]);
        await expect(mended.get(DeadLetters).replay(id)).resolves.toBe('handled');
        await bus.settled(`${key}bad`, [0, 1, 2, 3, 4]);
        await expect(mended.get(DeadLetters).get(id)).rejects.toMatchObject({
          code: 'DEAD_LETTER_NOT_FOUND',
        });
        await alpha.place(`${key}bad`, [5]);
        await bus.settled(`${key}bad`, [0, 1, 2, 3, 4, 5]);
      });

      it('has one effect however often, and from however many instances at once, it is replayed', async () => {
        const broken = await bus.start('beta', poison(1));
        const alpha = await orders();
        await alpha.place(`${key}bad`, [0, 1, 2]);
        const { id } = await deadLetter(broken.get(DeadLetters));
        await broken.stop();
        const slow = { afterEffect: () => sleep(100) };
        const one = await bus.start('beta', slow);
        const two = await bus.start('beta', slow);
        const replays = await Promise.allSettled(
          upTo(10).map((i) => (i % 2 === 0 ? one : two).get(DeadLetters).replay(id)),
        );
        const outcomes = replays.map((replay) =>
          replay.status === 'fulfilled' ? replay.value : (replay.reason as { code: string }).code,
        );
        expect(outcomes).not.toContain('failed');
        await bus.settled(`${key}bad`, [0, 1, 2]);
        await expect(one.get(DeadLetters).replay(id)).rejects.toMatchObject({
          code: 'DEAD_LETTER_NOT_FOUND',
        });
        await alpha.place(`${key}bad`, [3]);
        await bus.settled(`${key}bad`, [0, 1, 2, 3]);
      });

      it('is given up by a discard, and the events behind it follow', async () => {
        const beta = await bus.start('beta', poison(1));
        const alpha = await orders();
        await alpha.place(`${key}bad`, [0, 1, 2, 3]);
        const { id } = await deadLetter(beta.get(DeadLetters));
        await beta.get(DeadLetters).discard(id);
        await bus.settled(`${key}bad`, [0, 2, 3]);
        await expect(beta.get(DeadLetters).discard(id)).rejects.toMatchObject({
          code: 'DEAD_LETTER_NOT_FOUND',
        });
      });

      it('does not come back when the broker delivers it again', async () => {
        const beta = await bus.start('beta', poison(1));
        const alpha = await orders();
        await alpha.place(`${key}bad`, [0, 1, 2]);
        const { value } = await deadLetter(beta.get(DeadLetters));
        const record = { topic: 'alpha.order', key: `${key}bad`, value };
        await bus.engine.produce('alpha', [record, record]);
        await alpha.place(`${key}bad`, [3]);
        const id = (await deadLetter(beta.get(DeadLetters))).id;
        await eventually(async () => (await beta.get(DeadLetters).get(id)).waiting === 2, {
          timeoutMs: 10_000,
          intervalMs: 20,
        });
        await beta.get(DeadLetters).discard(id);
        await bus.engine.produce('alpha', [record]);
        await bus.settled(`${key}bad`, [0, 2, 3]);
      });

      it('parks and releases under load: every event once, in order, whatever fails and is replayed meanwhile', async () => {
        const keys = upTo(6).map((i) => `${key}${i}`);
        let failing = true;
        const flaky = {
          afterEffect: (event: { partitionkey: string }) => {
            if (!event.partitionkey.startsWith(key)) return;
            if (failing && Math.random() < 0.2) throw new Error('flaky');
          },
        };
        const one = await bus.start(
          'beta',
          { instance: 'one', ...flaky },
          { EVENT_MAX_ATTEMPTS: '2', EVENT_RETRY_BASE_MS: '2' },
        );
        const two = await bus.start(
          'beta',
          { instance: 'two', ...flaky },
          { EVENT_MAX_ATTEMPTS: '2', EVENT_RETRY_BASE_MS: '2' },
        );
        const alpha = await orders();
        let replays = 0;
        const load = { running: true };
        const operator = (async () => {
          while (
            load.running ||
            (await one.get(DeadLetters).list({ limit: 200 })).some((letter) =>
              letter.key.startsWith(key),
            )
          ) {
            for (const { id, key: of } of await two.get(DeadLetters).list({ limit: 200 })) {
              if (!of.startsWith(key)) continue;
              replays += 1;
              await one
                .get(DeadLetters)
                .replay(id)
                .catch(() => undefined);
            }
            await sleep(20);
          }
        })();
        for (let n = 0; n < 60; n += 1) {
          await Promise.all(keys.map((k) => alpha.place(k, [n])));
          await sleep(15);
        }
        failing = false;
        load.running = false;
        await operator;
        for (const k of keys) await bus.settled(k, upTo(60), 30_000);
        expect(replays).toBeGreaterThan(0);
        const left = await bus.sql(`SELECT FROM beta.held_events WHERE starts_with(key, $1)`, [
          key,
        ]);
        expect(left).toEqual([]);
        const parked = await bus.sql(
          `SELECT FROM beta.consumer_keys WHERE starts_with(key, $1) AND held <> 0`,
          [key],
        );
        expect(parked).toEqual([]);
      }, 120_000);

      it.each(['die', 'fail-then-die'])(
        'is a dead letter after so many tries, though its process does not survive one of them (%s)',
        async (mode) => {
          const alpha = await bus.start('alpha');
          const placing = alpha.get(Orders);
          const keys = upTo(6).map((i) => `${key}good-${i}`);
          for (const k of keys) await placing.place(k, [1, 2]);
          await placing.place(`${key}bad`, [13, 14]);
          for (const k of keys) await placing.place(k, [3, 4]);
          await alpha.stop();
          let starts = 0;
          let child: ChildProcessHandle | undefined;
          const dead = () =>
            bus.sql<{ attempts: number; reason: { message: string } }>(
              `SELECT attempts, reason FROM beta.held_events WHERE state = 'dead' AND key = $1`,
              [`${key}bad`],
            );
          while ((await dead()).length === 0 && starts < 10) {
            starts += 1;
            // It may not live to say that it is ready.
            child = await bus.startChild('beta', mode).catch(() => undefined);
            await eventually(async () => !child?.running || (await dead()).length > 0, {
              timeoutMs: 20_000,
            });
          }
          const [letter] = await dead();
          expect(letter?.reason.message).toMatch(/The process ended \d+ times/);
          expect(letter?.attempts).toBe(3);
          expect(starts).toBeLessThanOrEqual(5);
          for (const k of keys) await bus.settled(k, [1, 2, 3, 4]);
          // It wrote the dead letter and lives on; it would take the replay and die of it.
          await child?.kill('SIGKILL');
          const beta = await bus.start('beta');
          const [found] = (await beta.get(DeadLetters).list({ limit: 200 })).filter((one) =>
            one.key.startsWith(key),
          );
          await expect(beta.get(DeadLetters).replay(found?.id ?? '')).resolves.toBe('handled');
          await bus.settled(`${key}bad`, [13, 14]);
          expect(await bus.sql('SELECT FROM beta.begun_tries')).toEqual([]);
        },
        120_000,
      );

      it('fails when its handler takes too long, and nothing of what it did remains', async () => {
        const beta = await bus.start(
          'beta',
          {
            afterEffect: async (event) => {
              if (event.partitionkey === `${key}slow`) await sleep(600);
            },
          },
          { EVENT_HANDLER_TIMEOUT_MS: '200', EVENT_MAX_ATTEMPTS: '1' },
        );
        await (await orders()).place(`${key}slow`, [1]);
        const letter = await deadLetter(beta.get(DeadLetters));
        expect(letter.event_type).toBe('alpha.order.placed.v1');
        expect(await bus.numbers(`${key}slow`)).toEqual([]);
        await beta.get(DeadLetters).discard(letter.id);
      });

      it('is a dead letter at once if it is not JSON, or no event', async () => {
        const beta = await bus.start('beta');
        await orders();
        await bus.engine.produce('alpha', [
          { topic: 'alpha.order', key: `${key}json`, value: '{"id": ' },
        ]);
        const letter = await deadLetter(beta.get(DeadLetters));
        expect(letter).toMatchObject({ event_type: null, attempts: 1, value: '{"id": ' });
        await expect(beta.get(DeadLetters).replay(letter.id)).resolves.toBe('failed');
        await beta.get(DeadLetters).discard(letter.id);
        await bus.engine.produce('alpha', [
          { topic: 'alpha.order', key: `${key}envelope`, value: '{"id": "x"}' },
        ]);
        expect((await deadLetter(beta.get(DeadLetters))).reason?.message).toContain('/specversion');
      });

      it('is passed over if nobody wants its type, it is a tombstone, or its source does not own the topic', async () => {
        const beta = await bus.start('beta');
        const alpha = await orders();
        await alpha.place(key, [0]);
        await bus.settled(key, [0]);
        const known = beta.behaviour.seen.find(({ event }) => event.partitionkey === key)?.event;
        const send = (value: object | null) => ({
          topic: 'alpha.order',
          key,
          value: value && JSON.stringify(value),
        });
        await bus.engine.produce('alpha', [
          send({ ...known, id: randomUUID(), type: 'alpha.order.shipped.v1' }),
          send(null),
          send({ ...known, id: randomUUID(), source: 'beta' }),
        ]);
        await alpha.place(key, [1]);
        await bus.settled(key, [0, 1]);
        const letters = await beta.get(DeadLetters).list({ limit: 200 });
        expect(letters.filter((letter) => letter.key === key)).toEqual([]);
      });
    });

    withoutDatabaseContract(
      () => bus,
      () => key,
    );
  });
}
