import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { Gate } from './gate.ts';

describe('a gate', () => {
  const log: string[] = [];
  const work =
    (name: string, ms = 5) =>
    async () => {
      log.push(`+${name}`);
      await sleep(ms);
      log.push(`-${name}`);
    };

  it('lets in side by side, but one that wants to be alone only by itself, in order of coming', async () => {
    const gate = new Gate();
    await Promise.all([
      gate.enter({ alone: false }, work('a', 10)),
      gate.enter({ alone: false }, work('b')),
      gate.enter({ alone: true }, work('c')),
      gate.enter({ alone: true }, work('d')),
      gate.enter({ alone: false }, work('e')),
      gate.enter({ alone: false }, work('f')),
    ]);
    expect(log.splice(0, 4)).toEqual(['+a', '+b', '-b', '-a']);
    expect(log.splice(0, 4)).toEqual(['+c', '-c', '+d', '-d']);
    expect(log.slice(0, 2)).toEqual(['+e', '+f']);
  });

  it('lets others in after one that failed', async () => {
    const gate = new Gate();
    const failing = gate.enter({ alone: true }, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    await expect(gate.enter({ alone: true }, () => Promise.resolve(1))).resolves.toBe(1);
  });
});
