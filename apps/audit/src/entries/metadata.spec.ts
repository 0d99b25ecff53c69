import { describe, expect, it } from '@jest/globals';

import { MetadataRefused, parseMetadata } from './metadata.ts';

describe('metadata of an entry', () => {
  it('is the object in the text, the empty one for no text', () => {
    expect(parseMetadata('')).toEqual({});
    expect(parseMetadata('{"a":[1,{"b":null}],"c":"\\u0000"}')).toEqual({
      a: [1, { b: null }],
      c: '\0',
    });
  });

  it('keeps a member named __proto__ a member', () => {
    const parsed = parseMetadata('{"__proto__":{"admin":true}}');
    expect(Object.keys(parsed)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect('admin' in parsed).toBe(false);
  });

  it('makes half characters whole, in values and in names', () => {
    expect(parseMetadata('{"\\ud800":"a\\udc00b"}')).toEqual({ '\ufffd': 'a\ufffdb' });
  });

  it.each([
    ['what is not JSON', '{'],
    ['a list', '[]'],
    ['nothing', 'null'],
    ['a number beyond every double', '{"a":[1e400]}'],
    ['nesting without end', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ])('refuses %s', (_what, text) => {
    expect(() => parseMetadata(text)).toThrow(MetadataRefused);
  });
});
