import { MalformedJson, type PlatformError, ValidationFailed } from '@gatehouse/contracts-platform';
import fc from 'fast-check';

import { MAX_JSON_DEPTH, parseJson } from './json-rules.ts';

const parse = (text: string) => parseJson(Buffer.from(text));
const refusal = (body: string | Buffer): PlatformError => {
  try {
    parseJson(Buffer.from(body));
  } catch (error) {
    return error as PlatformError;
  }
  throw new Error('it was taken');
};

describe('parseJson', () => {
  it('reads whatever JSON.parse reads, to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('__proto__') && !text.includes(String.raw`\u`));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('takes an empty body for none', () => {
    expect(parse('')).toBeUndefined();
  });

  it.each(['{', '{"a":}', '[1,]', "{'a':1}", 'NaN', '{"a":1} x', '"\n"'])(
    'refuses %p as not JSON, and repeats none of it',
    (text) => {
      const error = refusal(text);
      expect(error).toBeInstanceOf(MalformedJson);
      expect(error.message).toBe('The body is not JSON.');
    },
  );

  it('takes nesting up to the limit and refuses one level more', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(() => parse(nested(MAX_JSON_DEPTH))).not.toThrow();
    expect(refusal(nested(MAX_JSON_DEPTH + 1)).message).toContain('64 levels');
    expect(refusal(nested(10_000))).toBeInstanceOf(MalformedJson);
    expect(refusal('{"a":'.repeat(10_000))).toBeInstanceOf(MalformedJson);
  });

  it('does not count brackets in strings', () => {
    const text = JSON.stringify({ text: `${'['.repeat(500)}\\"${'{'.repeat(500)}` });
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['Latin-1', [0x22, 0xe9, 0x22]],
  ])('refuses %s', (_name, bytes) => {
    expect(refusal(Buffer.from(bytes)).message).toBe('The body is not UTF-8.');
  });

  it.each([
    ['{"__proto__":{"admin":true}}', '/__proto__'],
    [String.raw`{"\u005f_proto__":1}`, '/__proto__'],
    ['{"a":[{"__proto__":1}]}', '/a/0/__proto__'],
    ['{"constructor":{"prototype":{"admin":true}}}', '/constructor'],
  ])('refuses %s, and says where', (text, pointer) => {
    const error = refusal(text);
    expect(error).toBeInstanceOf(ValidationFailed);
    expect(error.violations[0]?.pointer).toBe(pointer);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  it('takes a member that is only called constructor', () => {
    expect(parse('{"constructor":"x"}')).toEqual({ constructor: 'x' });
  });

  it.each([
    [String.raw`{"name":"a\u0000b"}`, '/name'],
    [String.raw`{"name":"\ud800"}`, '/name'],
    [String.raw`["ok","\udc00x"]`, '/1'],
  ])('refuses text that no column can hold: %s', (text, pointer) => {
    expect(refusal(text).violations[0]?.pointer).toBe(pointer);
  });

  it.each([
    ['{"a":1e400}', '/a'],
    ['[-1E+999]', '/0'],
    [`{"n":${'9'.repeat(400)}}`, '/n'],
  ])('refuses a number that no double can hold: %s', (text, pointer) => {
    expect(refusal(text).violations[0]?.pointer).toBe(pointer);
  });

  it('takes the largest double, and one that is too small as zero', () => {
    expect(parse('[1.7976931348623157e308,1e-400]')).toEqual([Number.MAX_VALUE, 0]);
  });
});
