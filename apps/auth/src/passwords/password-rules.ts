import { PasswordTooCommon, PasswordTooLong, PasswordTooShort } from '@gatehouse/contracts-auth';
import type { Violation } from '@gatehouse/contracts-platform';

import { commonPasswords } from './common-passwords.ts';

/** NIST SP 800-63B-4, 3.1.1.2: at least 15 where the password is the only factor, at least 64 accepted. */
export const MIN_PASSWORD_LENGTH = 15;
export const MAX_PASSWORD_LENGTH = 256;

const SERVICE_WORDS = ['gatehouse'];
const ROWS = [
  'abcdefghijklmnopqrstuvwxyz',
  '0123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
];

/**
 * What a password must be: long enough, and nothing an attacker tries first. No composition rules, no rotation.
 * @param context words about the account: address, name
 * @param pointer of the password in the request
 * @throws PasswordTooShort, PasswordTooLong, PasswordTooCommon
 */
export async function assertGoodPassword(
  password: string,
  context: readonly string[],
  pointer = '/password',
): Promise<void> {
  const normal = password.normalize('NFKC');
  const length = Array.from(normal).length;
  const because = (message: string): { violations: Violation[] } => ({
    violations: [{ pointer, message }],
  });
  if (length < MIN_PASSWORD_LENGTH) {
    throw new PasswordTooShort(
      `A password has at least ${MIN_PASSWORD_LENGTH} characters.`,
      because(`Must have at least ${MIN_PASSWORD_LENGTH} characters`),
    );
  }
  if (length > MAX_PASSWORD_LENGTH) {
    throw new PasswordTooLong(
      `A password has at most ${MAX_PASSWORD_LENGTH} characters.`,
      because(`Must have at most ${MAX_PASSWORD_LENGTH} characters`),
    );
  }
  if (await isGuessable(normal, context)) {
    throw new PasswordTooCommon(
      'This password is common, or made of the name of the account or of this service.',
      because('Is too easy to guess'),
    );
  }
}

/** The whole password is compared, as NIST asks, not each word in it: a phrase of common words is a good password. */
async function isGuessable(password: string, context: readonly string[]): Promise<boolean> {
  const common = await commonPasswords();
  const text = password.toLowerCase();
  const unit = period(text);
  if (unit.length <= 4 || common.has(text) || common.has(unit) || isRun(text)) return true;
  // `password2026!!!`, `Gatehouse-1234567`: one known word, and around it only digits and signs of ASCII.
  const word = text.replaceAll(/^[ -@[-`{-~]+|[ -@[-`{-~]+$/g, '');
  if (word !== '' && (common.has(word) || common.has(period(word)))) return true;
  return isContext(text, context);
}

/** The shortest text that makes this one by repetition: `abcabc` is `abc`. */
function period(text: string): string {
  const at = (text + text).indexOf(text, 1);
  return text.slice(0, at);
}

/** A walk along the alphabet, the digits or a keyboard, forth or back, over and over. */
function isRun(text: string): boolean {
  return ROWS.some((row) => {
    const endless = row.repeat(Math.ceil(text.length / row.length) + 1);
    const backward = endless.split('').reverse().join('');
    return endless.includes(text) || backward.includes(text);
  });
}

/** Words of the account and the service, with hardly a letter besides. */
function isContext(text: string, context: readonly string[]): boolean {
  const words = [...SERVICE_WORDS, ...context.flatMap(wordsOf)].sort((a, b) => b.length - a.length);
  let rest = text;
  for (const word of words) rest = rest.replaceAll(word, '');
  return rest !== text && rest.replaceAll(/[^\p{L}]/gu, '').length < 4;
}

function wordsOf(text: string): string[] {
  const lower = text.normalize('NFKC').toLowerCase();
  return [lower, ...lower.split(/[^\p{L}\p{N}]+/u)].filter((word) => word.length >= 4);
}
