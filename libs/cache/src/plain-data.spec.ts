import { describe, expect, it } from '@jest/globals';

import { decode, encode, NotPlainData } from './plain-data.ts';

class Entity {
  id = '1';
}

describe('plain data', () => {
  it.each([
    null,
    0,
    '',
    [1, [2]],
    { a: { b: undefined, c: new Date(0) } },
    new Map([['k', new Set([1n])]]),
    Object.create(null),
  ])('comes out of a cache as it went in (%#)', (value: unknown) => {
    expect(decode(encode('c', value))).toEqual(value);
  });

  it('is copied, so that nobody changes what is cached', () => {
    const bytes = encode('c', { list: [1] });
    const first = decode(bytes) as { list: number[] };
    first.list.push(2);
    expect(decode(bytes)).toEqual({ list: [1] });
  });

  it('may refer to itself', () => {
    const ring: { self?: unknown } = {};
    ring.self = ring;
    expect(() => encode('c', ring)).not.toThrow();
  });

  it.each([
    ['an entity', { user: new Entity() }, 'cache c: the value.user is an instance of Entity'],
    ['a function', [() => 1], 'cache c: the value.0 is a function'],
    ['a symbol', new Map([['k', Symbol('s')]]), 'is a symbol'],
    ['binary data', Buffer.from('x'), 'is an instance of Buffer'],
  ])('%s is none', (_what, value: unknown, message) => {
    expect(() => encode('c', value)).toThrow(NotPlainData);
    expect(() => encode('c', value)).toThrow(message);
  });
});
