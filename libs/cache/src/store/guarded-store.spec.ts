import { setTimeout as sleep } from 'node:timers/promises';

import { Metrics } from '@gatehouse/kernel';
import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';

import { TroubledStore } from '../../test/fixtures/troubled.store.ts';
import { CacheMetrics } from '../cache.metrics.ts';
import type { Ticket } from './cache-store.ts';
import { GuardedStore } from './guarded-store.ts';

const value = (text: string, version?: number) => ({ bytes: Buffer.from(text), version });
const MINUTE = 60_000;

describe('a guarded store', () => {
  let store: TroubledStore;
  let guarded: GuardedStore;
  beforeEach(() => {
    Logger.overrideLogger(false);
    store = new TroubledStore();
    guarded = new GuardedStore(store, new CacheMetrics(new Metrics()), {
      timeoutMs: 50,
      retryMs: 20,
    });
  });
  const open = async (key: string): Promise<Ticket> => (await guarded.open(key))!;

  it('does not read a key while a change of it is on its way', async () => {
    await guarded.fill(await open('a'), value('old'), MINUTE);
    const ticket = await open('a');
    store.beforePut = () => sleep(20);
    const write = guarded.write(ticket, 'a', value('new', 2), MINUTE);
    expect(await guarded.get('a')).toBeUndefined();
    await write;
    expect((await guarded.get('a'))?.version).toBe(2);
  });

  it('does not believe an answer that a change of the key overtook', async () => {
    await guarded.fill(await open('a'), value('old'), MINUTE);
    const reading = guarded.get('a');
    const evicting = guarded.evict('a');
    expect(await reading).toBeUndefined();
    await evicting;
  });

  it('leaves nothing from before a commit, where another eviction spoilt its write', async () => {
    const ticket = await open('a');
    await guarded.evict('a');
    // A reader that saw the state before the commit fills between the eviction and the write.
    await guarded.fill(await open('a'), value('before the commit'), MINUTE);
    expect(await guarded.write(ticket, 'a', value('committed', 2), MINUTE)).toBe('evicted');
    expect(await guarded.get('a')).toBeUndefined();
  });

  it('evicts where a write could not be announced', async () => {
    await guarded.fill(await open('a'), value('old'), MINUTE);
    expect(await guarded.write(undefined, 'a', value('new', 2), MINUTE)).toBe('failed');
    expect(await guarded.get('a')).toBeUndefined();
  });

  it('clears the store where more evictions failed than it can remember', async () => {
    await guarded.fill(await open('first'), value('old'), MINUTE);
    store.trouble = 'refuses';
    for (let index = 0; index <= 10_000; index++) await guarded.evict(`k${index}`);
    store.trouble = 'none';
    await sleep(100);
    expect(store.asked).toContain('clear');
    expect(await guarded.get('first')).toBeUndefined();
    expect(await guarded.fill(await open('first'), value('new'), MINUTE)).toBe('stored');
    expect(await guarded.get('first')).toBeDefined();
  });
});
