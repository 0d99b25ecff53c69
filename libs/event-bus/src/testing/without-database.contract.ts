import { eventually } from '@gatehouse/testing';
import { describe, expect, it } from '@jest/globals';

import { type Bus, upTo } from './bus/bus-engine.ts';
import { Echoes } from './bus/echoes.ts';
import { Orders } from './bus/orders.ts';
import type { TestService } from './bus/test-service.ts';

/** What is promised of a service without a database, beside services that have one. */
export function withoutDatabaseContract(bus: () => Bus, key: () => string): void {
  describe('a service without a database', () => {
    const PATIENT = { timeoutMs: 30_000, intervalMs: 50 };
    const numbersIn = (events: readonly { partitionkey: string; data: { n: number } }[]) =>
      events.filter(({ partitionkey }) => partitionkey === key()).map(({ data }) => data.n);
    const triedBy = ({ behaviour }: TestService) =>
      numbersIn(behaviour.seen.map(({ event }) => event));
    const heardBy = ({ behaviour }: TestService) => numbersIn(behaviour.broadcast);
    const place = async (numbers: readonly number[]) =>
      (await bus().start('alpha')).get(Orders).place(key(), numbers);

    it('hears what others publish, and is heard, in order per key', async () => {
      const gamma = await bus().start('gamma');
      await place(upTo(50));
      await eventually(() => expect(heardBy(gamma)).toEqual(upTo(50)), PATIENT);
      expect(triedBy(gamma)).toEqual(upTo(50));
      const echo = gamma.behaviour.broadcast.find(({ partitionkey }) => partitionkey === key());
      expect(echo).toMatchObject({ source: 'gamma', type: 'gamma.order.echoed.v1' });
      expect(echo).not.toHaveProperty('sequence');
    }, 60_000);

    it('tries an event that fails in its place, and gives it up after so many tries', async () => {
      const gamma = await bus().start('gamma', {
        beforeEffect: ({ partitionkey, data: { n } }) => {
          if (partitionkey !== key()) return;
          if (n === 13) throw new Error('unlucky');
          if (n === 7 && triedBy(gamma).filter((tried) => tried === 7).length < 2) {
            throw new TypeError('not yet');
          }
        },
      });
      await place([1, 7, 13, 14]);
      await eventually(() => expect(heardBy(gamma)).toEqual([1, 7, 14]), PATIENT);
      expect(triedBy(gamma)).toEqual([1, 7, 7, 13, 13, 13, 14]);
    }, 60_000);

    it('goes on where its last instance was, and what that had in hand comes again', async () => {
      let held = true;
      const first = await bus().start(
        'gamma',
        {
          beforeEffect: ({ partitionkey, data: { n } }) => {
            if (held && partitionkey === key() && n === 2) throw new Error('not here');
          },
        },
        { EVENT_MAX_ATTEMPTS: '100' },
      );
      await place([1, 2, 3]);
      await eventually(() => expect(triedBy(first)).toContain(2), PATIENT);
      await first.stop();
      held = false;
      expect(triedBy(first)).not.toContain(3);
      const second = await bus().start('gamma');
      await eventually(() => expect(triedBy(second)).toEqual([2, 3]), PATIENT);
    }, 60_000);

    it('sends what waits before it ends, and no more once it has', async () => {
      const listener = await bus().start('gamma');
      const speaker = await bus().start('gamma');
      for (const n of upTo(2_000)) speaker.get(Echoes).say(key(), n);
      await speaker.stop();
      await eventually(() => expect(heardBy(listener)).toEqual(upTo(2_000)), PATIENT);
      expect(() => speaker.get(Echoes).say(key(), 1)).toThrow('is ending');
    }, 60_000);
  });
}
