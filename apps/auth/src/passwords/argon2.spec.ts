import { describe, expect, it } from '@jest/globals';

import { hashPassword, isWeaker, verifyPassword } from './argon2.ts';

const COST = { memory: 19_456, passes: 2, parallelism: 1 };
/** Of "password", by the reference implementation (argon2-cffi, salt "somesalt", m=64 MiB, t=2, p=1). */
const REFERENCE =
  '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';

describe('argon2id hashes', () => {
  it('carry their parameters in the PHC string', async () => {
    expect(await hashPassword('correct horse', COST)).toMatch(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    );
  });

  it('differ for the same password, and are found right for it alone', async () => {
    const [first, second] = [await hashPassword('a', COST), await hashPassword('a', COST)];
    expect(first).not.toBe(second);
    expect(await verifyPassword('a', first)).toBe(true);
    expect(await verifyPassword('b', first)).toBe(false);
  });

  it('are those of the reference implementation', async () => {
    expect(await verifyPassword('password', REFERENCE)).toBe(true);
    expect(await verifyPassword('Password', REFERENCE)).toBe(false);
  });

  it('are weaker where any parameter is', () => {
    const phc = '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$c29tZXNhbHQ';
    expect(isWeaker(phc, COST)).toBe(false);
    expect(isWeaker(phc, { ...COST, memory: 65_536 })).toBe(true);
    expect(isWeaker(phc, { ...COST, passes: 3 })).toBe(true);
    expect(isWeaker(REFERENCE, COST)).toBe(false);
  });

  it.each(['', 'x', '$argon2i$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA', '$2b$10$abc'])(
    'are nothing else: %j',
    async (phc) => {
      await expect(verifyPassword('a', phc)).rejects.toThrow('PHC');
    },
  );
});
