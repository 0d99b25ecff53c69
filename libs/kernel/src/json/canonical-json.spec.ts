import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { canonicalJson } from './canonical-json.ts';

describe('canonical JSON (RFC 8785)', () => {
  it('orders members by UTF-16 code units and writes numbers as ECMAScript does', () => {
    // The example of RFC 8785, 3.2.3, and numbers of 3.2.2.
    const names = {
      '\u20ac': 1,
      '\r': 2,
      '\ufb33': 3,
      '1': 4,
      '\ud83d\ude00': 5,
      '\u0080': 6,
      '\u00f6': 7,
    };
    expect(canonicalJson(names)).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
    );
    expect(canonicalJson([Number('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27, -0])).toBe(
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
    );
  });

  it('reads back as the same value, and is the same whatever the order of members', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = canonicalJson(value);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(json))).toBe(json);
      }),
    );
  });

  it('leaves out what is undefined, writes dates, and mends lone surrogates', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, new Date(0)], c: '\ud800x' })).toBe(
      '{"a":[null,"1970-01-01T00:00:00.000Z"],"c":"\ufffdx"}',
    );
  });

  it('refuses what JSON does not have', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const value of [NaN, Infinity, 1n, () => 1, cycle])
      expect(() => canonicalJson(value)).toThrow(TypeError);
  });
});
