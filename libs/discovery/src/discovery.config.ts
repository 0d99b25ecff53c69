import type { KeyObject } from 'node:crypto';
import { configOf, envNumber } from '@gatehouse/kernel';
import { z } from 'zod';
import { readPrivateKey, readPublicKey } from './documents/keys.ts';

/** A PEM key from the environment, or a message that says what is wrong with it and never repeats it. */
const key = (read: (pem: string) => KeyObject, example: string) =>
  z
    .string()
    .transform((pem, context): KeyObject => {
      try {
        return read(pem);
      } catch {
        context.addIssue({ code: 'custom', message: 'must be an Ed25519 key in PEM form' });
        return z.NEVER;
      }
    })
    .meta({ example });

export class DiscoveryConfig extends configOf({
  /** Signs this service's registry entries and Via tokens: PKCS #8 PEM. Made by `gatehouse provision`. */
  GATEHOUSE_SERVICE_KEY: key(
    readPrivateKey,
    '"-----BEGIN PRIVATE KEY-----..." (or GATEHOUSE_SERVICE_KEY_FILE, or service-key in GATEHOUSE_CREDENTIALS_DIR)',
  ),
  /** The public half of the platform's key, which the directory is signed with: SPKI PEM. */
  GATEHOUSE_TRUST_ANCHOR: key(
    readPublicKey,
    '"-----BEGIN PUBLIC KEY-----..." (or GATEHOUSE_TRUST_ANCHOR_FILE, or trust-anchor in GATEHOUSE_CREDENTIALS_DIR)',
  ),
  /** How often the registry is read besides its notices: the longest a lost notice can delay news. */
  DISCOVERY_POLL_SECONDS: envNumber(1, 0.1, 3),
}) {}
