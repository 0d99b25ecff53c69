import type { PermissionDeclaration } from '@gatehouse/contracts-platform';
import { PermissionSink } from '@gatehouse/guards';
import { ServiceInfo } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';

import { RegisterPermissions } from './commands/register-permissions.ts';

/** Authz's own permissions take no way over the network. */
@Injectable()
export class LocalPermissionSink extends PermissionSink {
  constructor(
    private readonly commands: CommandBus,
    private readonly service: ServiceInfo,
  ) {
    super();
  }

  override async register(
    permissions: readonly PermissionDeclaration[],
    manifestDigest: string,
  ): Promise<void> {
    await this.commands.execute(
      new RegisterPermissions(this.service.name, { permissions: [...permissions], manifestDigest }),
    );
  }
}
