import fc from 'fast-check';
import { canonicalPathEnd } from './canonical-path.ts';

describe('a canonical path', () => {
  it.each([
    '/',
    '/v1/users',
    '/v1/users/',
    '/.well-known/jwks.json',
    '/v1/files/a..b',
    '/v1/files/...',
    '/v1/users/caf%C3%A9',
    '/v1/users/caf%c3%a9',
    '/v1/users/a%20b',
    '/v1/users/100%25',
    '/v1/users/%F0%9F%98%80',
    "/v1/users/a@b.c,!$&'()*+=:~_-",
  ])('is %s', (path) => {
    expect(canonicalPathEnd(path)).toBe(path.length);
    expect(canonicalPathEnd(`${path}?q=1&r=%2e%2e/;//`)).toBe(path.length);
  });

  it.each([
    ['an encoded dot', '/v1/%2e%2e/users'],
    ['an encoded dot, upper case', '/v1/%2E/users'],
    ['an encoded slash', '/v1%2fusers'],
    ['an encoded backslash', '/v1%5Cusers'],
    ['an encoded letter', '/v1/%75sers'],
    ['an encoded tilde', '/v1/%7euser'],
    ['an encoded control character', '/v1/users/%00'],
    ['an encoded line feed', '/v1/users/a%0ab'],
    ['an encoded DEL', '/v1/users/%7f'],
    ['double encoding', '/v1/%252e%252e/users'],
    ['a doubled slash', '/v1//users'],
    ['a leading doubled slash', '//v1/users'],
    ['a trailing doubled slash', '/v1/users//'],
    ['a dot segment', '/v1/./users'],
    ['a double-dot segment', '/v1/../users'],
    ['a trailing dot segment', '/v1/users/..'],
    ['a dot segment before the query', '/v1/users/.?x=1'],
    ['a path parameter', '/v1/users;admin=1'],
    ['a backslash', '/v1\\users'],
    ['a fragment', '/v1/users#x'],
    ['a fragment in the query', '/v1/users?a#x'],
    ['a control character', '/v1/users\u0001'],
    ['a raw byte above ASCII', '/v1/users/\u00e9'],
    ['a raw byte above ASCII in the query', '/v1/users?q=\u00e9'],
    ['a space', '/v1/users /x'],
    ['a lone percent', '/v1/users/100%'],
    ['half a percent code', '/v1/users/%2'],
    ['a percent code that is not hex', '/v1/users/%zz'],
    ['an overlong slash', '/v1%c0%afusers'],
    ['an overlong slash of three bytes', '/v1%e0%80%afusers'],
    ['a surrogate', '/v1/%ed%a0%80'],
    ['a code point above U+10FFFF', '/v1/%f4%90%80%80'],
    ['a truncated sequence', '/v1/%e2%82'],
    ['a lone continuation byte', '/v1/%80'],
    ['absolute form', 'http://127.0.0.1/v1/users'],
    ['authority form', '127.0.0.1:80'],
    ['asterisk form', '*'],
    ['nothing', ''],
  ])('is never one with %s', (_name, target) => {
    expect(canonicalPathEnd(target)).toBe(-1);
  });

  it('decodes to exactly one thing: what is accepted has one spelling per segment', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, unit: 'grapheme' })), (segments) => {
        const path = `/${segments.map(encodeURIComponent).join('/')}`;
        if (canonicalPathEnd(path) < 0) return;
        expect(path.slice(1).split('/').map(decodeURIComponent)).toEqual(
          segments.length === 0 ? [''] : segments,
        );
        expect(new URL(path, 'http://x').pathname).toBe(path);
      }),
    );
  });
});
