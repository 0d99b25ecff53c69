import { Audited, CurrentPrincipal, RequirePermission } from '@gatehouse/guards';
import { Answers, Location, type Principal } from '@gatehouse/kernel';
import { Etag, Idempotent, IfMatch } from '@gatehouse/persistence';
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';

import { CreateRole } from './commands/create-role.ts';
import { DeleteRole } from './commands/delete-role.ts';
import { UpdateRole } from './commands/update-role.ts';
import { GetRole } from './queries/get-role.ts';
import { ListRoles } from './queries/list-roles.ts';
import {
  CreateRoleBody,
  ListRolesQuery,
  RoleBody,
  RoleName,
  RolePage,
  type RoleView,
  UpdateRoleBody,
} from './roles.schemas.ts';

const named = {
  target: (_result: unknown, { params }: { params: Readonly<Record<string, string>> }) => ({
    type: 'role',
    id: params.name ?? '',
  }),
};

/** Roles of the organization that the token chose, or of the platform. */
@Controller('v1/roles')
export class RolesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @RequirePermission('authz.role.create', { description: 'Create roles' })
  @Idempotent()
  @Audited('authz.role.create', {
    metadata: (role?: RoleView) => role && { name: role.name, permissions: role.permissions },
  })
  @Location((role: RoleView) => `/v1/roles/${role.name}`)
  @Etag()
  @Answers(201, RoleBody, 'The new role')
  create(
    @CurrentPrincipal() who: Principal,
    @Body({ schema: CreateRoleBody }) body: CreateRoleBody,
  ) {
    return this.commands.execute(new CreateRole(who, body));
  }

  @Get()
  @RequirePermission('authz.role.read', { description: 'Read roles' })
  @Answers(200, RolePage, 'Roles by name')
  list(
    @CurrentPrincipal() who: Principal,
    @Query({ schema: ListRolesQuery }) query: ListRolesQuery,
  ) {
    return this.queries.execute(new ListRoles(query, who.organizationId));
  }

  @Get(':name')
  @RequirePermission('authz.role.read', { description: 'Read roles' })
  @Etag()
  @Answers(200, RoleBody, 'The role')
  get(@CurrentPrincipal() who: Principal, @Param('name', { schema: RoleName }) name: string) {
    return this.queries.execute(new GetRole(name, who.organizationId));
  }

  @Patch(':name')
  @RequirePermission('authz.role.update', { description: 'Change what a role holds' })
  @Audited('authz.role.update', {
    ...named,
    metadata: (role?: RoleView) => role && { permissions: role.permissions },
  })
  @Etag()
  @Answers(200, RoleBody, 'The role as it is now')
  update(
    @CurrentPrincipal() who: Principal,
    @Param('name', { schema: RoleName }) name: string,
    @IfMatch({ required: true }) version: number | undefined,
    @Body({ schema: UpdateRoleBody }) body: UpdateRoleBody,
  ) {
    return this.commands.execute(new UpdateRole(who, name, body, version));
  }

  @Delete(':name')
  @HttpCode(204)
  @RequirePermission('authz.role.delete', { description: 'Delete roles' })
  @Audited('authz.role.delete', named)
  @Answers(204)
  delete(
    @CurrentPrincipal() who: Principal,
    @Param('name', { schema: RoleName }) name: string,
    @IfMatch() version: number | undefined,
  ) {
    return this.commands.execute(new DeleteRole(who, name, version));
  }
}
