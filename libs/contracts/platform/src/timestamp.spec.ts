import { describe, expect, it } from '@jest/globals';

import { fromTimestamp, toTimestamp } from './timestamp.ts';

describe('a timestamp', () => {
  it.each(['2026-11-23T06:15:00.123Z', '1970-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z'])(
    'keeps the milliseconds of %s',
    (time) => {
      const timestamp = toTimestamp(new Date(time));
      expect(timestamp.nanos).toBeGreaterThanOrEqual(0);
      expect(fromTimestamp(timestamp).toISOString()).toBe(time);
    },
  );

  it('is not made of an invalid date', () => {
    expect(() => toTimestamp(new Date(NaN))).toThrow(RangeError);
  });
});
