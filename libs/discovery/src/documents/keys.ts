import { createPrivateKey, createPublicKey, generateKeyPairSync, KeyObject } from 'node:crypto';

/** A new Ed25519 key pair: PKCS #8 (`BEGIN PRIVATE KEY`) and SPKI (`BEGIN PUBLIC KEY`), both PEM. */
export interface ServiceKeyPair {
  privateKey: string;
  publicKey: string;
}

/** What signs a service's entries and Via tokens; also fit for the platform's own key. */
export function generateServiceKey(): ServiceKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { privateKey, publicKey };
}

/** Reads a PEM private key; anything but Ed25519 is an error. */
export function readPrivateKey(key: string | KeyObject): KeyObject {
  return ed25519(key instanceof KeyObject ? key : createPrivateKey(key), 'private');
}

/** Reads a PEM public key; anything but Ed25519, and a private key in its place, is an error. */
export function readPublicKey(key: string | KeyObject): KeyObject {
  if (typeof key === 'string' && key.includes('PRIVATE KEY'))
    throw new Error('a public key was expected, this is a private one');
  return ed25519(key instanceof KeyObject ? key : createPublicKey(key), 'public');
}

/** The SPKI PEM of the public half. */
export function publicKeyOf(privateKey: string | KeyObject): string {
  return createPublicKey(readPrivateKey(privateKey))
    .export({ type: 'spki', format: 'pem' })
    .toString();
}

function ed25519(key: KeyObject, type: 'private' | 'public'): KeyObject {
  if (key.type !== type || key.asymmetricKeyType !== 'ed25519')
    throw new Error(`an Ed25519 ${type} key was expected`);
  return key;
}
