import type { IdentityServiceHandlers } from '@gatehouse/contracts-identity';
import { AllowedClients, ANY_SERVICE } from '@gatehouse/guards';
import { Controller } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import type { z } from 'zod';

import { CreateUser } from './commands/create-user.ts';
import { BatchGetUsers } from './queries/batch-get-users.ts';
import { FindUserByEmail } from './queries/find-user-by-email.ts';
import { GetUser } from './queries/get-user.ts';
import { toMessage } from './user.mapping.ts';
import {
  BatchGetUsersMessage,
  CreateUserMessage,
  FindByEmailMessage,
  GetUserMessage,
} from './users.schemas.ts';

@Controller()
export class UsersRpc implements IdentityServiceHandlers {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @GrpcMethod('IdentityService', 'CreateUser')
  @AllowedClients('auth', 'provisioner')
  async createUser(
    @Payload({ schema: CreateUserMessage }) message: z.infer<typeof CreateUserMessage>,
  ) {
    const { userId: id, email, displayName } = message;
    const user = await this.commands.execute(
      new CreateUser({ id, email, displayName: displayName === '' ? undefined : displayName }),
    );
    return { user: toMessage(user) };
  }

  @GrpcMethod('IdentityService', 'GetUser')
  @AllowedClients(ANY_SERVICE)
  async getUser(@Payload({ schema: GetUserMessage }) { userId }: z.infer<typeof GetUserMessage>) {
    return { user: toMessage(await this.queries.execute(new GetUser(userId))) };
  }

  @GrpcMethod('IdentityService', 'BatchGetUsers')
  @AllowedClients(ANY_SERVICE)
  async batchGetUsers(
    @Payload({ schema: BatchGetUsersMessage }) { userIds }: z.infer<typeof BatchGetUsersMessage>,
  ) {
    const users = await this.queries.execute(new BatchGetUsers(userIds));
    return { users: users.map(toMessage) };
  }

  /** Says whether an address has an account: for Auth's login and the provisioner alone. */
  @GrpcMethod('IdentityService', 'FindByEmail')
  @AllowedClients('auth', 'provisioner')
  async findByEmail(
    @Payload({ schema: FindByEmailMessage }) { email }: z.infer<typeof FindByEmailMessage>,
  ) {
    const user = await this.queries.execute(new FindUserByEmail(email));
    return user ? { user: toMessage(user) } : {};
  }
}
