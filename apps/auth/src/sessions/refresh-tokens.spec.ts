import { randomBytes } from 'node:crypto';

import { newId } from '@gatehouse/kernel';
import { Sealer } from '@gatehouse/persistence';
import { describe, expect, it } from '@jest/globals';

import { ServerSecrets } from '../server-secrets.ts';
import { RefreshTokens } from './refresh-tokens.ts';

const tokensOf = (key = randomBytes(32)) =>
  new RefreshTokens(new ServerSecrets(new Sealer(key.toString('base64'))));

describe('refresh tokens', () => {
  const tokens = tokensOf();
  const sid = newId();

  it('are read back with their session and generation', () => {
    const first = tokens.first(sid);
    expect(tokens.read(first.text)).toEqual(first);
    expect(first).toMatchObject({ sessionId: sid, generation: 1 });
    expect(first.secret).toHaveLength(32);
  });

  it('have one successor, the same in every instance', () => {
    const key = randomBytes(32);
    const [here, there] = [tokensOf(key), tokensOf(key)];
    const first = here.first(sid);
    const next = here.successor(first);
    expect(there.successor(first)).toEqual(next);
    expect(next).toMatchObject({ sessionId: sid, generation: 2 });
    expect(next.secret).not.toEqual(first.secret);
  });

  it('cannot be derived without the server key', () => {
    const first = tokens.first(sid);
    expect(tokensOf().successor(first).text).not.toBe(tokens.successor(first).text);
  });

  it('are none of ours where anything is changed', () => {
    const { text } = tokens.first(sid);
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === 'A' ? 'B' : 'A';
      expect(tokens.read(text.slice(0, at) + other + text.slice(at + 1))).toBeUndefined();
    }
    for (const wrong of ['', 'gtr_', `${text}A`, `${text}=`, ` ${text}`, text.slice(0, -1)])
      expect(tokens.read(wrong)).toBeUndefined();
    expect(tokensOf().read(text)).toBeUndefined();
  });
});
