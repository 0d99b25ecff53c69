import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

/** What Auth knows of a user: no address, no name. */
export interface Credential {
  userId: string;
  /** argon2id, PHC string; null where the user has no password. */
  passwordHash: string | null;
  /** One more at each change of the password or of `disabled`. */
  version: number;
  disabled: boolean;
  /** Identity has deleted the user: nothing brings the credential back. */
  deleted: boolean;
}

const COLUMNS = `user_id AS "userId", password_hash AS "passwordHash", version, disabled, deleted`;

/** The table of credentials, through the current transaction where there is one. */
@Injectable()
export class CredentialStore {
  constructor(private readonly database: Database) {}

  find(userId: string): Promise<Credential | undefined> {
    return this.select(userId, '');
  }

  /** For starting a session: whoever changes or disables the credential waits for it, or is seen by it. */
  findForShare(userId: string): Promise<Credential | undefined> {
    return this.select(userId, 'FOR SHARE');
  }

  findForUpdate(userId: string): Promise<Credential | undefined> {
    return this.select(userId, 'FOR UPDATE');
  }

  /**
   * The user's row, made where there is none, locked until the transaction ends. What Identity says of a user may come
   * before the user has a password.
   */
  async claim(userId: string): Promise<Credential> {
    await this.database.query(
      `INSERT INTO credentials (user_id, created_at, changed_at) VALUES ($1, now(), now())
       ON CONFLICT (user_id) DO NOTHING`,
      [userId],
    );
    return (await this.findForUpdate(userId)) as Credential;
  }

  /** The caller holds the row's lock. */
  async setPassword(userId: string, hash: string): Promise<void> {
    await this.database.query(
      `UPDATE credentials SET password_hash = $2, version = version + 1, changed_at = now() WHERE user_id = $1`,
      [userId, hash],
    );
  }

  /** The same password at a higher cost: no session ends by it. Nothing happens where the password has changed since. */
  async rehash(userId: string, before: string, after: string): Promise<void> {
    await this.database.query(
      `UPDATE credentials SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2`,
      [userId, before, after],
    );
  }

  /** The caller holds the row's lock. */
  async setDisabled(userId: string, disabled: boolean): Promise<void> {
    await this.database.query(
      `UPDATE credentials SET disabled = $2, version = version + 1, changed_at = now() WHERE user_id = $1`,
      [userId, disabled],
    );
  }

  /** The password goes, the mark stays. The caller holds the row's lock. */
  async setDeleted(userId: string): Promise<void> {
    await this.database.query(
      `UPDATE credentials
       SET password_hash = NULL, disabled = true, deleted = true, version = version + 1, changed_at = now()
       WHERE user_id = $1`,
      [userId],
    );
  }

  private async select(userId: string, lock: string): Promise<Credential | undefined> {
    const [row] = await this.database.query<Credential & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM credentials WHERE user_id = $1 ${lock}`,
      [userId],
    );
    return row;
  }
}
