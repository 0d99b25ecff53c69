import { Discovery } from '@gatehouse/discovery';
import { Database, Transactional } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

/** A manifest nobody serves any more is of no use even for a service that is rolled back. */
const KEPT = '30 days';

/**
 * What each manifest of a service declares. A permission lives while an instance does whose manifest declares it: during
 * a rolling upgrade, those of both versions. While no instance of a service is known, its permissions stay as they are.
 */
@Injectable()
export class Declarations {
  constructor(
    private readonly database: Database,
    private readonly discovery: Discovery,
  ) {}

  /** Two instances of a service start at once: one after the other, until the transaction ends. */
  async lock(service: string): Promise<void> {
    await this.database.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('permissions of ' || $1, 0))`,
      [service],
    );
  }

  /** The caller holds the lock. */
  async store(service: string, manifestDigest: string, names: readonly string[]): Promise<void> {
    await this.database.query(
      `INSERT INTO declarations (service, manifest_digest, permissions, registered_at)
       VALUES ($1, $2, $3, now())
       ON CONFLICT (service, manifest_digest) DO UPDATE
         SET permissions = excluded.permissions, registered_at = now()`,
      [service, manifestDigest, names],
    );
    await this.database.query(
      `DELETE FROM declarations WHERE service = $1 AND registered_at < now() - interval '${KEPT}'
         AND NOT manifest_digest = ANY($2)`,
      [service, this.live(service)],
    );
  }

  /** Marks what no live manifest declares, and unmarks what one does again. @returns how many became stale */
  @Transactional()
  async judge(service: string, alsoLive: readonly string[] = []): Promise<number> {
    await this.lock(service);
    // Read under the lock: whoever judges last has seen no less than whoever judged before on this instance.
    const rows = await this.database.query<{ stale: boolean }>(
      `WITH live AS (
         SELECT permissions FROM declarations WHERE service = $1 AND manifest_digest = ANY($2)
       ), judged AS (
         SELECT name, NOT EXISTS (SELECT FROM live WHERE p.name = ANY(live.permissions)) AS stale
         FROM permissions p WHERE service = $1 AND EXISTS (SELECT FROM live)
       )
       UPDATE permissions p SET stale = judged.stale, updated_at = now()
       FROM judged WHERE p.name = judged.name AND p.stale <> judged.stale
       RETURNING p.stale`,
      [service, [...alsoLive, ...this.live(service)]],
    );
    return rows.filter(({ stale }) => stale).length;
  }

  /** Digests of the manifests that instances serve now. */
  live(service: string): string[] {
    return this.discovery.find(service).flatMap(({ manifestDigest }) => manifestDigest ?? []);
  }
}
