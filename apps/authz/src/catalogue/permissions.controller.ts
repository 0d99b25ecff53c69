import { RequirePermission } from '@gatehouse/guards';
import { Answers } from '@gatehouse/kernel';
import { Controller, Get, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';

import { ListPermissionsQuery, PermissionPage } from './permissions.schemas.ts';
import { ListPermissions } from './queries/list-permissions.ts';

/** The catalogue: everything a role can hold, from the manifests of the services. */
@Controller('v1/permissions')
export class PermissionsController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @RequirePermission('authz.permission.read', { description: 'Read the catalogue of permissions' })
  @Answers(200, PermissionPage, 'Permissions by name')
  list(@Query({ schema: ListPermissionsQuery }) query: ListPermissionsQuery) {
    return this.queries.execute(new ListPermissions(query));
  }
}
