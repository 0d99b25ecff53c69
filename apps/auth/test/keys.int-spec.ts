import { createPublicKey, sign } from 'node:crypto';

import { Directory } from '@gatehouse/discovery';
import { KeySet, openKeySet, TokenVerifier } from '@gatehouse/guards';
import { Checkup, CommandRegistry, newId } from '@gatehouse/kernel';
import { Sealer } from '@gatehouse/persistence';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { QueryBus } from '@nestjs/cqrs';

import { AuthConfig } from '../src/auth.config.ts';
import { KeyCheckup } from '../src/keys/key-checkup.ts';
import { KeyRing } from '../src/keys/key-ring.ts';
import { KeyRotation, sealContext } from '../src/keys/key-rotation.ts';
import { GetSignedKeySet } from '../src/keys/queries/get-key-set.ts';
import { type SigningKeyRow, SigningKeyStore } from '../src/keys/signing-key.store.ts';
import { TokenIssuer } from '../src/tokens/token-issuer.ts';
import { type AuthInstance, AuthPlatform } from './support/auth-platform.ts';

describe('signing keys', () => {
  let platform: AuthPlatform;
  let auth: AuthInstance;
  let other: AuthInstance;

  beforeAll(async () => {
    platform = await AuthPlatform.start();
    [auth, other] = await Promise.all([platform.auth(), platform.auth()]);
  }, 60_000);
  beforeEach(async () => {
    // One key that has signed for a while.
    const [first, ...later] = (await all()).map(({ kid }) => kid);
    await auth.get(SigningKeyStore).delete(later);
    await auth.query(
      `UPDATE signing_keys SET signs_from = now() - interval '1 day' WHERE kid = $1`,
      [first],
    );
    await see();
  });
  afterAll(() => platform.stop());

  const all = (): Promise<SigningKeyRow[]> => auth.get(SigningKeyStore).all();
  /** What each instance does by itself every ten seconds, and each verifier once a minute. */
  const see = async () => {
    for (const instance of [auth, other]) {
      await instance.get(KeyRing).read();
      await instance.get(KeySet).refresh();
    }
  };
  const shift = (interval: string) =>
    auth.query(`UPDATE signing_keys SET signs_from = signs_from - $1::interval`, [interval]);
  const token = (instance: AuthInstance) =>
    instance
      .get(TokenIssuer)
      .issue({ id: newId(), type: 'user', sessionId: newId(), clientId: 'gatehouse' }, 'password')
      .accessToken;
  const kidOf = (text: string) =>
    (JSON.parse(Buffer.from(text.split('.')[0]!, 'base64url').toString()) as { kid: string }).kid;

  it('are one after two instances have started at once', async () => {
    expect(await all()).toHaveLength(1);
    await Promise.all([auth, other].map((each) => each.get(KeyRotation).ensure()));
    expect(await all()).toHaveLength(1);
  });

  it('are sealed at rest, each for its own id', async () => {
    const [row] = await all();
    const sealer = auth.get(Sealer);
    expect(row!.sealedPrivateKey.includes(Buffer.from('2a864886f70d010101', 'hex'))).toBe(false);
    expect(sealer.open(row!.sealedPrivateKey, sealContext(row!.kid)).length).toBeGreaterThan(1000);
    expect(() => sealer.open(row!.sealedPrivateKey, sealContext('another'))).toThrow();
    expect(row!.publicJwk).not.toHaveProperty('d');
  });

  it('get one successor from any number of rotations at once', async () => {
    const rotations = await Promise.all(
      [auth, other, auth, other].map((each) => each.get(KeyRotation).rotate()),
    );
    expect(new Set(rotations.map(({ kid }) => kid)).size).toBe(1);
    expect(rotations.filter(({ made }) => made)).toHaveLength(1);
    expect(await all()).toHaveLength(2);
  });

  it('rotate without a token refused: published first, used later, kept until the last token has expired', async () => {
    const old = token(auth);
    const { kid } = await auth.get(KeyRotation).rotate();
    await see();
    // Published, and not yet used, by any instance.
    expect(kidOf(token(auth))).toBe(kidOf(old));
    for (const instance of [auth, other])
      expect(() => instance.get(KeySet).find(kid)).not.toThrow();
    expect(other.get(KeySet).find(kid)).toBeDefined();

    await shift('3 minutes');
    await see();
    const fresh = token(other);
    expect(kidOf(fresh)).toBe(kid);
    for (const each of [old, fresh])
      for (const instance of [auth, other])
        expect(() => instance.get(TokenVerifier).verify(each)).not.toThrow();

    // An access token's lifetime and the clocks' difference later the old key is not needed.
    await shift('12 minutes 1 second');
    await auth.get(KeyRotation).tend();
    expect((await all()).map((row) => row.kid)).toEqual([kid]);
    await see();
    expect(auth.get(KeySet).find(kidOf(old))).toBeUndefined();
  });

  it('are replaced when they have signed for long', async () => {
    await auth.get(KeyRotation).tend();
    expect(await all()).toHaveLength(1);
    await shift('91 days');
    await Promise.all([auth, other].map((each) => each.get(KeyRotation).tend()));
    const keys = await all();
    expect(keys).toHaveLength(2);
    expect(keys[1]!.signsFrom.getTime()).toBeGreaterThan(Date.now() + 150_000);
  });

  it('change their algorithm by configuration, as by any rotation', async () => {
    const old = token(auth);
    const elliptic = await platform.auth({
      AUTH_SIGNING_ALGORITHM: 'ES256',
      AUTH_SIGNING_KEY_LEAD_SECONDS: '0',
    });
    await elliptic.get(KeyRing).read();
    await elliptic.get(KeySet).refresh();
    const fresh = token(elliptic);
    expect(JSON.parse(Buffer.from(fresh.split('.')[0]!, 'base64url').toString())).toMatchObject({
      alg: 'ES256',
      typ: 'at+jwt',
    });
    for (const each of [old, fresh]) {
      expect(() => elliptic.get(TokenVerifier).verify(each)).not.toThrow();
    }
  });

  it('can be given up at once, where one has leaked: its tokens end with it', async () => {
    const leaked = token(auth);
    const hurried = await platform.auth({ AUTH_SIGNING_KEY_LEAD_SECONDS: '0' });
    await hurried.get(KeyRotation).rotate();
    await auth.query(`DELETE FROM signing_keys WHERE kid = $1`, [kidOf(leaked)]);
    await see();
    const fresh = token(auth);
    for (const instance of [auth, other]) {
      expect(() => instance.get(TokenVerifier).verify(leaked)).toThrow();
      expect(() => instance.get(TokenVerifier).verify(fresh)).not.toThrow();
    }
  });

  describe('as the doctor finds them', () => {
    const judge = async (later = 0) => auth.get(KeyCheckup).judge(await all(), Date.now() + later);

    it('sign, and have a successor in time', async () => {
      expect(await judge()).toMatchObject([
        { state: 'ok', what: expect.stringMatching(/has signed for 24 h; .* due in 89 days/) },
      ]);
      const { kid } = await auth.get(KeyRotation).rotate();
      expect(await judge()).toMatchObject([
        { what: expect.stringContaining(`${kid} is published`) },
      ]);
    });

    it('have signed for too long', async () => {
      await shift('95 days');
      expect(await judge()).toMatchObject([
        {
          state: 'problem',
          what: expect.stringContaining('overdue by 6 days'),
          mend: expect.stringContaining('rotate-keys'),
        },
      ]);
    });

    it('do not sign yet, by a clock that is behind', async () => {
      expect(await judge(-2 * 86_400_000)).toMatchObject([
        { state: 'problem', what: expect.stringContaining('no key signs now') },
      ]);
    });

    it('cannot be opened by a key that is of another database', async () => {
      const stranger = new KeyCheckup(
        auth.get(SigningKeyStore),
        new Sealer(Buffer.alloc(32).toString('base64')),
        auth.get(AuthConfig),
        new Checkup(new CommandRegistry()),
      );
      expect(stranger.judge(await all(), Date.now())).toMatchObject([
        { state: 'ok' },
        { state: 'problem', what: expect.stringContaining('DATA_ENCRYPTION_KEY') },
      ]);
    });
  });

  it('are published as a JWS under the key that the directory lists for Auth', async () => {
    const jws = await auth.get(QueryBus).execute(new GetSignedKeySet());
    const service = auth.get(Directory).service('auth');
    const { keys, issuedAt, expiresAt } = openKeySet(jws, service!.publicKey);
    expect(keys).toEqual((await all()).map(({ publicJwk }) => publicJwk));
    expect(expiresAt - issuedAt).toBe(3600);
    const stranger = createPublicKey(platform.platformKey);
    expect(() => openKeySet(jws, stranger)).toThrow('signature');
  });

  it('issue a token in less than a millisecond besides the signature', () => {
    const issuer = auth.get(TokenIssuer);
    const ring = auth.get(KeyRing);
    const subject = {
      id: newId(),
      type: 'user' as const,
      sessionId: newId(),
      clientId: 'gatehouse',
    };
    const cpu = (work: () => void) => {
      const begin = process.cpuUsage();
      for (let i = 0; i < 300; i++) work();
      return process.cpuUsage(begin).user / 300 / 1000;
    };
    const key = ring.current();
    const plain = () => void signAlone(key.privateKey);
    cpu(plain);
    const [signing, issuing] = [cpu(plain), cpu(() => void issuer.issue(subject, 'password'))];
    expect(issuing - signing).toBeLessThan(1);
  });
});

function signAlone(key: Parameters<typeof sign>[2]) {
  return sign('sha256', Buffer.alloc(400), key);
}
