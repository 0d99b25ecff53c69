import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { Flights } from './flights.ts';

const never = () => new Promise<never>(() => undefined);

describe('a load under way', () => {
  it('is not waited for by new callers once it has taken too long', async () => {
    const flights = new Flights(20);
    void flights.join('a', never);
    expect(flights.join('a', never).joined).toBe(true);
    await sleep(30);
    const { flight, joined } = flights.join('a', () => Promise.resolve('fresh'));
    expect(joined).toBe(false);
    expect(await flight).toBe('fresh');
  });

  it('learns that its key was forgotten', async () => {
    const flights = new Flights();
    const seen: boolean[] = [];
    const { flight } = flights.join('a', (current) => {
      seen.push(current());
      flights.forget('a');
      seen.push(current());
      return Promise.resolve();
    });
    await flight;
    expect(seen).toEqual([true, false]);
  });

  it('leaves nothing behind, however it ends', async () => {
    const flights = new Flights();
    await flights.join('a', () => Promise.resolve(1)).flight;
    await expect(flights.join('b', () => Promise.reject(new Error('no'))).flight).rejects.toThrow(
      'no',
    );
    expect(flights.size).toBe(0);
  });
});
