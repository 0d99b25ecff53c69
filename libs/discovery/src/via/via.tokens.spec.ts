import { NotAuthenticated } from '@gatehouse/contracts-platform';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { decodeJwt, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { Directory } from '../directory.ts';
import { readPrivateKey } from '../documents/keys.ts';
import { TestPlatform } from '../testing/test-platform.ts';
import { issueProvisionerToken } from './via.token.ts';
import { ViaTokens } from './via.tokens.ts';

describe('ViaTokens', () => {
  const platform = new TestPlatform();
  let directory: Directory;
  const tokensOf = (service: string) =>
    new ViaTokens(
      service,
      readPrivateKey(platform.keyOf(service).privateKey),
      directory,
      platform.trustAnchor,
    );
  const now = () => Math.floor(Date.now() / 1000);

  beforeEach(async () => {
    directory = new Directory(platform.trustAnchor);
    await directory.accept(await platform.directory(1, ['orders', 'carts', 'auth']));
  });

  /** A token that is right but for what the test changes. */
  const token = (
    claims: JWTPayload = {},
    header: Partial<JWTHeaderParameters> = {},
    key = 'orders',
  ) =>
    new SignJWT({ iss: 'orders', aud: 'carts', iat: now(), exp: now() + 60, ...claims })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'gatehouse-via+jwt', ...header })
      .sign(readPrivateKey(platform.keyOf(key).privateKey));
  const refused = async (value: string) =>
    expect(tokensOf('carts').verify(value)).rejects.toThrow(NotAuthenticated);

  it('tells the callee who is calling', async () => {
    const issued = await tokensOf('orders').issue('carts');
    expect(await tokensOf('carts').verify(issued)).toEqual({ service: 'orders' });
    expect(decodeJwt(issued)).toMatchObject({ iss: 'orders', aud: 'carts' });
    expect(decodeJwt(issued).exp! - decodeJwt(issued).iat!).toBe(60);
    await expect(token()).resolves.toBeDefined();
    expect(await tokensOf('carts').verify(await token())).toEqual({ service: 'orders' });
  });

  it('is issued once for many calls, also for calls at the same moment, and at once from then on', async () => {
    const orders = tokensOf('orders');
    const issued = await Promise.all([
      orders.issue('carts'),
      orders.issue('carts'),
      orders.issue('auth'),
    ]);
    expect(issued[0]).toBe(issued[1]);
    expect(issued[0]).not.toBe(issued[2]);
    expect(orders.issue('carts')).toBe(issued[0]);
  });

  it.each([
    ['ahead', 600_000],
    ['back', -600_000],
  ])('is issued anew once the clock was set %s, and taken', async (_where, byMs) => {
    const [orders, carts] = [tokensOf('orders'), tokensOf('carts')];
    const before = await orders.issue('carts');
    jest.useFakeTimers({ now: Date.now() + byMs, doNotFake: ['nextTick', 'performance'] });
    try {
      const after = await orders.issue('carts');
      expect(after).not.toBe(before);
      expect(await carts.verify(after)).toEqual({ service: 'orders' });
    } finally {
      jest.useRealTimers();
    }
  });

  it('is refused by everyone but the service it is for', async () => {
    const issued = await tokensOf('orders').issue('carts');
    await expect(tokensOf('auth').verify(issued)).rejects.toThrow(NotAuthenticated);
    await refused(await token({ aud: ['carts', 'auth'] }));
    await refused(await token({ aud: undefined }));
  });

  it('is refused once expired, before its time, or made to last', async () => {
    await refused(await token({ iat: now() - 120, exp: now() - 60 }));
    await refused(await token({ iat: now() + 60, exp: now() + 120 }));
    await refused(await token({ exp: now() + 3600 }));
    await refused(await token({ iat: now() - 3600, exp: now() + 60 }));
    await refused(await token({ exp: undefined }));
    await refused(await token({ iat: undefined }));
  });

  it('is refused from issuers the directory does not list, or under another service’s key', async () => {
    await refused(await token({ iss: 'rogue' }, {}, 'rogue'));
    await refused(await token({ iss: undefined }));
    await refused(await token({ iss: 'auth' }));
    await refused(await token({ iss: 'provisioner' }));
    await refused(await token({ iss: '__proto__' }));
  });

  it('is refused without a signature, with a shared secret, and as another kind of token', async () => {
    const [, payload] = (await token()).split('.');
    const none = Buffer.from('{"alg":"none","typ":"gatehouse-via+jwt"}').toString('base64url');
    await refused(`${none}.${payload!}.`);
    const hmac = await new SignJWT({ iss: 'orders', aud: 'carts', iat: now(), exp: now() + 60 })
      .setProtectedHeader({ alg: 'HS256', typ: 'gatehouse-via+jwt' })
      .sign(new TextEncoder().encode(platform.keyOf('orders').publicKey));
    await refused(hmac);
    await refused(await token({}, { typ: 'at+jwt' }));
    await refused(await token({}, { typ: undefined }));
    await refused(await token({}, { crit: ['exp'] }).catch(() => 'x.y.z'));
    await refused('');
    await refused('not a token');
    await refused(`${await token()}x`);
    await refused('a'.repeat(100_000));
  });

  it('of a service that leaves the directory is refused from then on, though it was taken before', async () => {
    const carts = tokensOf('carts');
    const issued = await tokensOf('orders').issue('carts');
    expect(await carts.verify(issued)).toEqual({ service: 'orders' });
    await directory.accept(await platform.directory(2, ['carts', 'auth']));
    await expect(carts.verify(issued)).rejects.toThrow(NotAuthenticated);
  });

  it('of the provisioner is verified with the trust anchor', async () => {
    const issued = await issueProvisionerToken(platform.platformKey.privateKey, 'carts');
    expect(await tokensOf('carts').verify(issued)).toEqual({ service: 'provisioner' });
    await expect(tokensOf('auth').verify(issued)).rejects.toThrow(NotAuthenticated);
    await refused(await issueProvisionerToken(new TestPlatform().platformKey.privateKey, 'carts'));
  });

  it('is not repeated in the error', async () => {
    const value = await token({ aud: 'auth' });
    const error: unknown = await tokensOf('carts')
      .verify(value)
      .catch((thrown: unknown) => thrown);
    expect(String(error)).not.toContain(value.split('.')[2]);
  });
});
