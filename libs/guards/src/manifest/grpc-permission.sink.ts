import { type ClientOf, InjectClient } from '@gatehouse/clients';
import { authzV1 } from '@gatehouse/contracts-authz';
import type { PermissionDeclaration } from '@gatehouse/contracts-platform';
import { Injectable } from '@nestjs/common';

import { PermissionSink } from './permission-sink.ts';

/** Hands the permissions to `Authz.RegisterPermissions`, as this service. */
@Injectable()
export class GrpcPermissionSink extends PermissionSink {
  constructor(@InjectClient(authzV1) private readonly authz: ClientOf<typeof authzV1>) {
    super();
  }

  override async register(
    permissions: readonly PermissionDeclaration[],
    manifestDigest: string,
  ): Promise<void> {
    await this.authz.registerPermissions(
      { permissions: [...permissions], manifestDigest },
      { as: 'service' },
    );
  }
}
