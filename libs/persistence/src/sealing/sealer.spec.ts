import { randomBytes } from 'node:crypto';
import { SealBroken, Sealer } from './sealer.ts';

const key = () => randomBytes(32).toString('base64');

describe('the sealer', () => {
  const sealer = new Sealer(key());

  it('opens what it sealed, in the same context', () => {
    const sealed = sealer.seal('private', 'key:1');
    expect(sealed.includes('private')).toBe(false);
    expect(sealer.open(sealed, 'key:1').toString()).toBe('private');
    expect(sealer.open(sealer.seal('', 'x'), 'x')).toHaveLength(0);
  });

  it('opens nothing in another context', () => {
    expect(() => sealer.open(sealer.seal('private', 'key:1'), 'key:2')).toThrow(SealBroken);
  });

  it('opens nothing that was altered, at any bit, or cut short', () => {
    const sealed = sealer.seal('private', 'key:1');
    for (let index = 0; index < sealed.length; index++) {
      const forged = Buffer.from(sealed);
      forged.writeUInt8(forged.readUInt8(index) ^ 1, index);
      expect(() => sealer.open(forged, 'key:1')).toThrow(SealBroken);
      expect(() => sealer.open(sealed.subarray(0, index), 'key:1')).toThrow(SealBroken);
    }
  });

  it('seals equal values to unequal bytes', () => {
    expect(sealer.seal('a', 'x').equals(sealer.seal('a', 'x'))).toBe(false);
  });

  it('opens what an older key sealed, and seals with the current', () => {
    const [old, current] = [key(), key()];
    const sealed = new Sealer(old).seal('a', 'x');
    const both = new Sealer(current, old);
    expect(both.open(sealed, 'x').toString()).toBe('a');
    expect(new Sealer(current).open(both.seal('b', 'x'), 'x').toString()).toBe('b');
    expect(() => new Sealer(current).open(sealed, 'x')).toThrow(SealBroken);
  });

  it('refuses a key of another length', () => {
    expect(() => new Sealer(randomBytes(16).toString('base64'))).toThrow('32 bytes');
  });
});
