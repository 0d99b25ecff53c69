import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { backoff } from './backoff.ts';

describe('back-off', () => {
  it('lies between half and all of base times two to the attempt, and never above the maximum', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 1_000 }), (attempt, base) => {
        const full = Math.min(30_000, base * 2 ** attempt);
        const pause = backoff(attempt, base, 30_000);
        expect(pause).toBeGreaterThanOrEqual(Math.floor(full / 2));
        expect(pause).toBeLessThanOrEqual(full);
      }),
    );
  });
});
