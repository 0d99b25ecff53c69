import { Logger } from '@nestjs/common';

import { Lifecycle, START_PHASES, StartFailed, STOP_PHASES } from './lifecycle.ts';

describe('Lifecycle', () => {
  let lifecycle: Lifecycle;
  let seen: string[];

  beforeAll(() => {
    Logger.overrideLogger(false);
  });

  beforeEach(() => {
    lifecycle = new Lifecycle();
    seen = [];
  });

  it('starts phase by phase, in registered order within one, whatever the order of registration', async () => {
    for (const phase of [...START_PHASES].reverse()) {
      lifecycle.onStart(phase, 'first', () => void seen.push(`${phase} 1`));
      lifecycle.onStart(phase, 'second', () => void seen.push(`${phase} 2`));
    }
    await lifecycle.start();
    expect(seen).toEqual(START_PHASES.flatMap((phase) => [`${phase} 1`, `${phase} 2`]));
  });

  it('stops phase by phase, the last registered first within one', async () => {
    for (const phase of [...STOP_PHASES].reverse()) {
      lifecycle.onStop(phase, 'first', () => void seen.push(`${phase} 1`));
      lifecycle.onStop(phase, 'second', () => void seen.push(`${phase} 2`));
    }
    await lifecycle.stop();
    expect(seen).toEqual(STOP_PHASES.flatMap((phase) => [`${phase} 2`, `${phase} 1`]));
  });

  it('waits for each function before the next', async () => {
    lifecycle.onStart('database', 'slow', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      seen.push('database');
    });
    lifecycle.onStart('broker', 'fast', () => void seen.push('broker'));
    await lifecycle.start();
    expect(seen).toEqual(['database', 'broker']);
  });

  it('ends the start where a function throws, and names phase and function', async () => {
    lifecycle.onStart('broker', 'topics', () => {
      throw new Error('no such host');
    });
    lifecycle.onStart('ready', 'never', () => void seen.push('ready'));
    const failure = await lifecycle.start().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StartFailed);
    expect((failure as Error).message).toBe('start phase broker, topics: no such host');
    expect(seen).toEqual([]);
  });

  it('goes on stopping where a function throws', async () => {
    lifecycle.onStop('flush', 'broken', () => {
      throw new Error('flush failed');
    });
    lifecycle.onStop('close', 'pool', () => void seen.push('close'));
    await lifecycle.stop();
    expect(seen).toEqual(['close']);
  });

  it('stops once, however often it is asked', async () => {
    lifecycle.onStop('close', 'pool', () => void seen.push('close'));
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    await lifecycle.stop();
    expect(seen).toEqual(['close']);
  });

  it('asked to stop while starting, finishes the step in hand, starts nothing more, then stops', async () => {
    lifecycle.onStart('database', 'slow', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      seen.push('opened');
    });
    lifecycle.onStart('broker', 'never', () => void seen.push('broker'));
    lifecycle.onStop('close', 'pool', () => void seen.push('closed'));
    const start = lifecycle.start().catch((error: unknown) => (error as Error).message);
    await lifecycle.stop();
    expect(await start).toContain('asked to stop meanwhile');
    expect(seen).toEqual(['opened', 'closed']);
  });
});
