import { randomBytes } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { openField, placeOf, sealField } from './sealed-field.ts';

describe('a sealed value', () => {
  const key = randomBytes(32);
  const place = placeOf('entry', 'email');

  it('opens with its key in its place', () => {
    for (const value of ['ada@example.com', '', 'é€😀']) {
      const sealed = sealField(key, value, place);
      expect(sealed).toMatch(/^[\w-]+$/);
      expect(openField(key, sealed, place)).toBe(value);
    }
  });

  it('never looks the same twice', () => {
    expect(sealField(key, 'a', place)).not.toBe(sealField(key, 'a', place));
  });

  it('opens with no other key, in no other place, and not once changed', () => {
    const sealed = sealField(key, 'ada', place);
    expect(openField(randomBytes(32), sealed, place)).toBeUndefined();
    expect(openField(key, sealed, placeOf('entry', 'name'))).toBeUndefined();
    expect(openField(key, sealed, placeOf('other', 'email'))).toBeUndefined();
    for (const broken of ['', 'AAAA', sealed.slice(0, -2), `A${sealed.slice(1)}`]) {
      if (broken !== sealed) expect(openField(key, broken, place)).toBeUndefined();
    }
  });
});
