import { PermissionOutsideNamespace } from '@gatehouse/contracts-authz';
import { Directory, Discovery } from '@gatehouse/discovery';
import { Database, Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import type { RegisterPermissionsMessage } from '../permissions.schemas.ts';

/** What a service declares now. Bindings and roles that name a permission keep it, whatever becomes of it. */
export class RegisterPermissions extends Command<{ added: number; stale: number }> {
  constructor(
    /** The calling service, verified. */
    readonly service: string,
    readonly declaration: RegisterPermissionsMessage,
  ) {
    super();
  }
}

@CommandHandler(RegisterPermissions)
export class RegisterPermissionsHandler implements ICommandHandler<RegisterPermissions> {
  constructor(
    private readonly database: Database,
    private readonly directory: Directory,
    private readonly discovery: Discovery,
  ) {}

  /** @throws PermissionOutsideNamespace */
  @Transactional()
  async execute({
    service,
    declaration,
  }: RegisterPermissions): Promise<{ added: number; stale: number }> {
    this.assertNamespace(service, declaration);
    const { permissions, manifestDigest } = declaration;
    // Two instances of a service start at once: one after the other.
    await this.database.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('permissions of ' || $1, 0))`,
      [service],
    );
    await this.database.query(
      `INSERT INTO declarations (service, manifest_digest, permissions, registered_at)
       VALUES ($1, $2, $3, now())
       ON CONFLICT (service, manifest_digest) DO UPDATE SET permissions = excluded.permissions, registered_at = now()`,
      [service, manifestDigest, permissions.map(({ name }) => name)],
    );
    const added = await this.store(service, permissions);
    const stale = await this.markStale(service, manifestDigest);
    return { added, stale };
  }

  private assertNamespace(service: string, { permissions }: RegisterPermissionsMessage): void {
    const namespace = this.directory.service(service)?.namespace;
    const outside = permissions.find(({ name }) => name.split('.')[0] !== namespace);
    if (outside) {
      throw new PermissionOutsideNamespace(
        `${outside.name} is not in the namespace of ${service}.`,
      );
    }
  }

  private async store(
    service: string,
    permissions: RegisterPermissionsMessage['permissions'],
  ): Promise<number> {
    const rows = await this.database.query<{ added: boolean }>(
      `INSERT INTO permissions (name, service, description, scope, stale, updated_at)
       SELECT name, $1, description, scope, false, now() FROM unnest($2::text[], $3::text[], $4::text[]) AS p (name, description, scope)
       ON CONFLICT (name) DO UPDATE
         SET description = excluded.description, scope = excluded.scope, stale = false, updated_at = now()
       RETURNING xmax = 0 AS added`,
      [
        service,
        permissions.map(({ name }) => name),
        permissions.map(({ description }) => description),
        permissions.map(({ scope }) => scope),
      ],
    );
    return rows.filter((row) => row.added).length;
  }

  /** A permission lives while an instance does that declares it: during a rolling upgrade, those of both versions. */
  private async markStale(service: string, digest: string): Promise<number> {
    const live = this.discovery.find(service).flatMap((instance) => instance.manifestDigest ?? []);
    await this.database.query(
      `DELETE FROM declarations WHERE service = $1 AND NOT manifest_digest = ANY($2)`,
      [service, [digest, ...live]],
    );
    const rows = await this.database.query(
      `UPDATE permissions SET stale = true, updated_at = now()
       WHERE service = $1 AND NOT stale
         AND NOT EXISTS (SELECT FROM declarations d WHERE d.service = $1 AND permissions.name = ANY(d.permissions))
       RETURNING 1`,
      [service],
    );
    return rows.length;
  }
}
