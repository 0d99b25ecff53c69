import { passedOnState } from './trace-state.ts';

const members = (count: number) => Array.from({ length: count }, (_, n) => `k${n}=${n}`).join(',');

describe('tracestate', () => {
  it.each([
    ['one member', 'vendor=1', 'vendor=1'],
    ['a tenant', 'tenant@vendor=abc', 'tenant@vendor=abc'],
    ['spaces around members', ' a=1 ,\tb=2\t', 'a=1,b=2'],
    ['spaces within a value', 'a=x y', 'a=x y'],
    ['empty members', ',a=1,,b=2,', 'a=1,b=2'],
    ['of a key that stands twice, the first', 'a=1,b=2,a=3', 'a=1,b=2'],
    ['32 members', members(32), members(32)],
  ])('passes on %s', (_name, field, passed) => {
    expect(passedOnState(field)).toBe(passed);
  });

  it.each([
    ['nothing', undefined],
    ['the empty field', ''],
    ['commas alone', ', ,'],
    ['33 members', members(33)],
    ['a member without a value', 'a=1,b'],
    ['an empty value', 'a='],
    ['a second equals sign', 'a=1=2'],
    ['a key in upper case', 'A=1'],
    ['a key with an @ at its end', 'foo@=1'],
    ['a key with two @', 'a@b@c=1'],
    ['a key of 257 characters', `${'k'.repeat(257)}=1`],
    ['a value of 257 characters', `k=${'v'.repeat(257)}`],
    ['a control character', 'a=1\u0007'],
    ['a letter beyond ASCII', 'a=ü'],
  ])('drops %s', (_name, field) => {
    expect(passedOnState(field)).toBeUndefined();
  });

  it('drops large members first where all is too long, then those at the end', () => {
    const small = Array.from({ length: 10 }, (_, n) => `s${n}=${'x'.repeat(57)}`);
    const large = `big=${'y'.repeat(200)}`;
    const passed = passedOnState([small[0], large, ...small.slice(1)].join(','));
    expect(passed).toBe(small.slice(0, 8).join(','));
    expect(passed?.length).toBeLessThanOrEqual(512);
  });
});
