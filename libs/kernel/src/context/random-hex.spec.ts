import { randomHex } from './random-hex.ts';

describe('randomHex', () => {
  it('gives two digits a byte, and never the same again', () => {
    const seen = Array.from({ length: 10_000 }, () => randomHex(8));
    expect(seen.every((hex) => /^[0-9a-f]{16}$/.test(hex))).toBe(true);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('gives as much as was asked for where what was drawn does not suffice', () => {
    for (let n = 0; n < 1_000; n++) expect(randomHex(24)).toMatch(/^[0-9a-f]{48}$/);
  });
});
