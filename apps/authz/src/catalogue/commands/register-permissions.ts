import { PermissionOutsideNamespace } from '@gatehouse/contracts-authz';
import { Directory } from '@gatehouse/discovery';
import { Database, Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { Declarations } from '../declarations.ts';
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
    private readonly declarations: Declarations,
  ) {}

  /** @throws PermissionOutsideNamespace */
  @Transactional()
  async execute({
    service,
    declaration,
  }: RegisterPermissions): Promise<{ added: number; stale: number }> {
    this.assertNamespace(service, declaration);
    const { permissions, manifestDigest } = declaration;
    await this.declarations.lock(service);
    const names = permissions.map(({ name }) => name);
    await this.declarations.store(service, manifestDigest, names);
    const added = await this.store(service, permissions);
    const stale = await this.declarations.judge(service, [manifestDigest]);
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
}
