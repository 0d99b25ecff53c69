import { PasswordTooCommon, PasswordTooLong, PasswordTooShort } from '@gatehouse/contracts-auth';
import { describe, expect, it } from '@jest/globals';

import { assertGoodPassword } from './password-rules.ts';

const context = ['margaret.hamilton@apollo.example', 'Margaret Hamilton'];

describe('a password', () => {
  it.each([
    'correct horse battery staple',
    'purple monkey dishwasher',
    'пароль не самый плохой',
    '🦄🌈🦄🌈🍕🚀 unicorns',
    'Gatehouse keeps the barbarians out',
    'margaret likes long walks at sea',
    '839274615238471',
    'kqjz hvnx btyr mpdl wfgs '.repeat(2) + 'sixty four it is',
  ])('may be %j', async (password) => {
    await expect(assertGoodPassword(password, context)).resolves.toBeUndefined();
  });

  it('has at least 15 characters, however many bytes they are', async () => {
    await expect(assertGoodPassword('fourteen chars', context)).rejects.toThrow(PasswordTooShort);
    await expect(assertGoodPassword('🦄'.repeat(14), context)).rejects.toThrow(PasswordTooShort);
  });

  it('may have 256 characters, and no more', async () => {
    const long = 'kqjzhvnxbtyrmpdl'.repeat(15) + 'sixteen letters.';
    expect(long).toHaveLength(256);
    await expect(assertGoodPassword(long, context)).resolves.toBeUndefined();
    await expect(assertGoodPassword(`${long}!`, context)).rejects.toThrow(PasswordTooLong);
  });

  it.each([
    ['on the list', '1qaz2wsx3edc4rfv'],
    ['on the list but for its case', 'PasswordPassword'],
    ['one word of the list over and over', 'monkeymonkeymonkey'],
    ['a word of the list with digits and signs around', '!!password2026!!!'],
    ['one character over and over', 'aaaaaaaaaaaaaaaaaa'],
    ['a short piece over and over', 'abc1abc1abc1abc1'],
    ['the alphabet', 'abcdefghijklmnopq'],
    ['digits in a row', '1234567890123456'],
    ['digits in a row, backwards', '9876543210987654'],
    ['a walk over the keyboard', 'qwertyuiopasdfgh'],
    ['the name of the service', 'Gatehouse-1234567'],
    ['the name of the account', 'margaret.hamilton'],
    ['the name and a year', 'Margaret Hamilton 1969'],
    ['the address itself', 'margaret.hamilton@apollo.example'],
    ['the same in other letters of Unicode', 'ｐａｓｓｗｏｒｄ１２３４５６７'],
  ])('is not %s', async (_what, password) => {
    await expect(assertGoodPassword(password, context)).rejects.toThrow(PasswordTooCommon);
  });

  it('is named in the answer by a pointer, never repeated', async () => {
    const refused = assertGoodPassword('monkeymonkeymonkey', context, '/new_password');
    await expect(refused).rejects.toMatchObject({ violations: [{ pointer: '/new_password' }] });
    await expect(refused).rejects.not.toThrow('monkey');
  });
});
