import type { JsonWebKey } from 'node:crypto';

import type { SigningAlgorithm } from '@gatehouse/guards';
import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

export interface SigningKeyRow {
  kid: string;
  algorithm: SigningAlgorithm;
  publicJwk: JsonWebKey;
  sealedPrivateKey: Buffer;
  createdAt: Date;
  /** From here on it signs, until the next key does. */
  signsFrom: Date;
}

/** The table of signing keys, in the order in which they sign. */
@Injectable()
export class SigningKeyStore {
  constructor(private readonly database: Database) {}

  all(): Promise<SigningKeyRow[]> {
    return this.database.query<SigningKeyRow & Record<string, unknown>>(
      `SELECT kid, algorithm, public_jwk AS "publicJwk", sealed_private_key AS "sealedPrivateKey",
              created_at AS "createdAt", signs_from AS "signsFrom"
       FROM signing_keys ORDER BY signs_from`,
    );
  }

  /** One change of the set at a time, in all instances; until the transaction ends. */
  async lock(): Promise<void> {
    await this.database.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('auth signing keys', 0))`,
    );
  }

  async insert(row: SigningKeyRow): Promise<void> {
    await this.database.query(
      `INSERT INTO signing_keys (kid, algorithm, public_jwk, sealed_private_key, created_at, signs_from)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [
        row.kid,
        row.algorithm,
        JSON.stringify(row.publicJwk),
        row.sealedPrivateKey,
        row.createdAt,
        row.signsFrom,
      ],
    );
  }

  async delete(kids: readonly string[]): Promise<void> {
    await this.database.query(`DELETE FROM signing_keys WHERE kid = ANY($1)`, [kids]);
  }
}
