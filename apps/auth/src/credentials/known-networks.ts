import { addressKey } from '@gatehouse/guards';
import { requestContext } from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { ServerSecrets } from '../server-secrets.ts';

const KEPT_PER_USER = 20;
const KEPT_DAYS = 90;

/**
 * From which networks (an IPv4 address, an IPv6 /64) a user has logged in before. Kept as keyed hashes: the table tells
 * nobody where somebody was.
 */
@Injectable()
export class KnownNetworks {
  constructor(
    private readonly database: Database,
    private readonly secrets: ServerSecrets,
  ) {}

  /** The network of the request in hand, as it is kept for this user. */
  current(userId: string): Buffer {
    return this.secrets.hmac(
      'known network',
      userId,
      addressKey(requestContext.current()?.clientIp),
    );
  }

  async isKnown(userId: string, network: Buffer): Promise<boolean> {
    const rows = await this.database.query(
      `SELECT 1 FROM known_networks WHERE user_id = $1 AND network = $2`,
      [userId, network],
    );
    return rows.length > 0;
  }

  /** In the transaction of a login or registration; the longest unseen beyond twenty go. */
  async remember(userId: string, network: Buffer): Promise<void> {
    await this.database.query(
      `INSERT INTO known_networks (user_id, network, last_seen_at) VALUES ($1, $2, now())
       ON CONFLICT (user_id, network) DO UPDATE SET last_seen_at = excluded.last_seen_at`,
      [userId, network],
    );
    await this.database.query(
      `DELETE FROM known_networks WHERE user_id = $1 AND network IN (
         SELECT network FROM known_networks WHERE user_id = $1 ORDER BY last_seen_at DESC OFFSET $2
       )`,
      [userId, KEPT_PER_USER],
    );
  }

  async forgetAllOf(userId: string): Promise<void> {
    await this.database.query(`DELETE FROM known_networks WHERE user_id = $1`, [userId]);
  }

  async prune(): Promise<void> {
    await this.database.query(
      `DELETE FROM known_networks WHERE last_seen_at < now() - make_interval(days => $1)`,
      [KEPT_DAYS],
    );
  }
}
