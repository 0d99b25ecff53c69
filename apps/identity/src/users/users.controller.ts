import {
  Audited,
  Authenticated,
  CurrentPrincipal,
  RateLimit,
  RequirePermission,
} from '@gatehouse/guards';
import { Answers, Location, newId, type Principal } from '@gatehouse/kernel';
import { Etag, Idempotent, IfMatch } from '@gatehouse/persistence';
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';

import { CreateUser } from './commands/create-user.ts';
import { DeactivateUser } from './commands/deactivate-user.ts';
import { DeleteUser } from './commands/delete-user.ts';
import { ReactivateUser } from './commands/reactivate-user.ts';
import { UPDATE_USER, UpdateUser } from './commands/update-user.ts';
import { GetUser } from './queries/get-user.ts';
import { ListUsers } from './queries/list-users.ts';
import {
  CreateUserBody,
  ListUsersQuery,
  UpdateUserBody,
  UserBody,
  UserId,
  UserPage,
  type UserView,
} from './users.schemas.ts';

/** Users are global: what is asked for here is decided in the scope of the platform. */
@Controller('v1/users')
export class UsersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @RequirePermission('identity.user.create', { scope: 'platform', description: 'Create users' })
  @RateLimit({ limit: 120, per: '1m', by: 'principal' })
  @Idempotent()
  @Audited('identity.user.create')
  @Location((user: UserView) => `/v1/users/${user.id}`)
  @Etag()
  @Answers(201, UserBody, 'The new user')
  create(@Body({ schema: CreateUserBody }) body: CreateUserBody) {
    return this.commands.execute(
      new CreateUser({ id: newId(), email: body.email, displayName: body.display_name }),
    );
  }

  @Get()
  @RequirePermission('identity.user.list', {
    scope: 'platform',
    description: 'List and search users',
  })
  @Answers(200, UserPage, 'Users, newest first')
  list(@Query({ schema: ListUsersQuery }) query: ListUsersQuery) {
    return this.queries.execute(new ListUsers(query));
  }

  @Get('me')
  @Authenticated()
  @Etag()
  @Answers(200, UserBody, 'The user whose token this is')
  me(@CurrentPrincipal() who: Principal) {
    return this.queries.execute(new GetUser(who.id));
  }

  @Get(':id')
  @RequirePermission('identity.user.read', {
    scope: 'platform',
    orSelf: 'id',
    description: 'Read any user',
  })
  @Etag()
  @Answers(200, UserBody, 'The user')
  get(@Param('id', { schema: UserId }) id: string) {
    return this.queries.execute(new GetUser(id));
  }

  @Patch(':id')
  @RequirePermission(UPDATE_USER, {
    scope: 'platform',
    orSelf: 'id',
    description: 'Change any user',
  })
  @RateLimit({ limit: 120, per: '1m', by: 'principal' })
  @Audited(UPDATE_USER, {
    metadata: (_user, request) => ({ members: Object.keys(request.body as object) }),
  })
  @Etag()
  @Answers(200, UserBody, 'The user as it is now')
  update(
    @CurrentPrincipal() who: Principal,
    @Param('id', { schema: UserId }) id: string,
    @IfMatch({ required: true }) version: number | undefined,
    @Body({ schema: UpdateUserBody }) body: UpdateUserBody,
  ) {
    return this.commands.execute(new UpdateUser(who, id, body, version));
  }

  @Post(':id/deactivate')
  @HttpCode(200)
  @RequirePermission('identity.user.deactivate', {
    scope: 'platform',
    description: 'Deactivate users',
  })
  @RateLimit({ limit: 120, per: '1m', by: 'principal' })
  @Audited('identity.user.deactivate')
  @Etag()
  @Answers(200, UserBody, 'The user as it is now')
  deactivate(@Param('id', { schema: UserId }) id: string) {
    return this.commands.execute(new DeactivateUser(id));
  }

  @Post(':id/reactivate')
  @HttpCode(200)
  @RequirePermission('identity.user.reactivate', {
    scope: 'platform',
    description: 'Reactivate users',
  })
  @RateLimit({ limit: 120, per: '1m', by: 'principal' })
  @Audited('identity.user.reactivate')
  @Etag()
  @Answers(200, UserBody, 'The user as it is now')
  reactivate(@Param('id', { schema: UserId }) id: string) {
    return this.commands.execute(new ReactivateUser(id));
  }

  @Delete(':id')
  @HttpCode(204)
  @RequirePermission('identity.user.delete', { scope: 'platform', description: 'Delete users' })
  @RateLimit({ limit: 120, per: '1m', by: 'principal' })
  @Audited('identity.user.delete')
  @Answers(204)
  delete(@Param('id', { schema: UserId }) id: string, @IfMatch() version: number | undefined) {
    return this.commands.execute(new DeleteUser(id, version));
  }
}
