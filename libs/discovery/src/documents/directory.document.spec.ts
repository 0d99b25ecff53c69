import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { CompactSign } from 'jose';
import { type DirectoryEntry, signDirectory, verifyDirectory } from './directory.document.ts';
import { generateServiceKey, readPrivateKey, readPublicKey } from './keys.ts';
import { signDocument } from './signed-document.ts';

const platform = generateServiceKey();
const anchor = readPublicKey(platform.publicKey);
const service = (
  name: string,
  prefixes: string[],
  more: Partial<DirectoryEntry> = {},
): DirectoryEntry => ({
  name,
  prefixes,
  namespace: name,
  publicKey: generateServiceKey().publicKey,
  ...more,
});
const sign = (...services: DirectoryEntry[]) =>
  signDirectory({ serial: 7, services }, platform.privateKey);

describe('directory document', () => {
  it('comes back as it was signed', async () => {
    const users = service('users', ['/v1/users', '/v1/groups'], { namespace: 'identity' });
    const content = await verifyDirectory(await sign(users, service('gateway', [])), anchor);
    expect(content.serial).toBe(7);
    expect(content.services).toMatchObject([
      { name: 'users', prefixes: ['/v1/users', '/v1/groups'], namespace: 'identity' },
      { name: 'gateway', prefixes: [] },
    ]);
    expect(content.services[0]?.publicKey.equals(readPublicKey(users.publicKey))).toBe(true);
  });

  it.each([
    ['the same', ['/v1/users'], ['/v1/users']],
    ['one below the other', ['/v1/users'], ['/v1/carts', '/v1/users/me']],
    ['one above the other', ['/v1/users/me'], ['/v1/users']],
    ['the root of all', ['/v1'], ['/v1/users']],
  ])('refuses prefixes of two services that overlap: %s', async (_, a, b) => {
    await expect(sign(service('a', a), service('b', b))).rejects.toThrow(
      /prefixes overlap.* of a and .* of b/,
    );
  });

  it('takes prefixes that only begin alike, and a service that names one below its own', async () => {
    await expect(
      sign(service('a', ['/v1/user']), service('b', ['/v1/users', '/v1/users/me'])),
    ).resolves.toBeDefined();
  });

  it('refuses names and namespaces taken twice, and the name of the provisioner', async () => {
    await expect(sign(service('a', []), service('a', []))).rejects.toThrow(
      /two services are named "a"/,
    );
    await expect(sign(service('a', []), service('b', [], { namespace: 'a' }))).rejects.toThrow(
      /both claim the namespace/,
    );
    await expect(sign(service('provisioner', []))).rejects.toThrow(/reserved/);
  });

  it.each(['v1/users', '/v1/users/', '/v1//users', '/', '/v1/{id}', '/v1/%75sers', '/v1/ users'])(
    'refuses the prefix %j',
    async (prefix) => {
      await expect(sign(service('a', [prefix]))).rejects.toThrow();
    },
  );

  it('refuses dots that a proxy would resolve', async () => {
    await expect(sign(service('a', ['/v1/../admin']))).rejects.toThrow();
    await expect(sign(service('a', ['/v1/./admin']))).rejects.toThrow();
  });

  it('refuses a key that is not Ed25519, and a private key in the place of a public one', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await expect(sign(service('a', [], { publicKey: rsa.publicKey }))).rejects.toThrow(/Ed25519/);
    await expect(
      sign(service('a', [], { publicKey: generateServiceKey().privateKey })),
    ).rejects.toThrow(/private/);
  });

  it('does not hold under another key, nor altered, nor as another type', async () => {
    const document = await sign(service('a', ['/v1/a']));
    await expect(
      verifyDirectory(document, readPublicKey(generateServiceKey().publicKey)),
    ).rejects.toThrow();
    const [head, , signature] = document.split('.');
    const forged = Buffer.from(JSON.stringify({ serial: 8, services: [] })).toString('base64url');
    await expect(verifyDirectory(`${head!}.${forged}.${signature!}`, anchor)).rejects.toThrow();
    const entry = await signDocument(
      'gatehouse-entry+jws',
      { serial: 8, services: [] },
      readPrivateKey(platform.privateKey),
    );
    await expect(verifyDirectory(entry, anchor)).rejects.toThrow(/not a gatehouse-directory/);
  });

  it('does not hold with an algorithm that the key was not made for', async () => {
    const payload = new TextEncoder().encode(JSON.stringify({ serial: 8, services: [] }));
    const hmac = await new CompactSign(payload)
      .setProtectedHeader({ alg: 'HS256', typ: 'gatehouse-directory+jws' })
      .sign(new TextEncoder().encode(platform.publicKey));
    await expect(verifyDirectory(hmac, anchor)).rejects.toThrow();
    const none = `${Buffer.from('{"alg":"none","typ":"gatehouse-directory+jws"}').toString('base64url')}.${Buffer.from(payload).toString('base64url')}.`;
    await expect(verifyDirectory(none, anchor)).rejects.toThrow();
  });

  it('makes keys that a file can hold and createPrivateKey can read', () => {
    expect(createPrivateKey(platform.privateKey).asymmetricKeyType).toBe('ed25519');
  });
});
