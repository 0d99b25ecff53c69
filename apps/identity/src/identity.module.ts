import { CacheModule } from '@gatehouse/cache';
import { identityEvents, identityV1 } from '@gatehouse/contracts-identity';
import { DiscoveryModule } from '@gatehouse/discovery';
import { EventBusModule, eventBusMigrations } from '@gatehouse/event-bus';
import { EventOperationsModule, GuardsModule } from '@gatehouse/guards';
import { KernelModule } from '@gatehouse/kernel';
import { PersistenceModule } from '@gatehouse/persistence';
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';

import { identityMigrations } from './migrations/identity.migrations.ts';
import { CreateUserHandler } from './users/commands/create-user.ts';
import { DeactivateUserHandler } from './users/commands/deactivate-user.ts';
import { DeleteUserHandler } from './users/commands/delete-user.ts';
import { ReactivateUserHandler } from './users/commands/reactivate-user.ts';
import { UpdateUserHandler } from './users/commands/update-user.ts';
import { BatchGetUsersHandler } from './users/queries/batch-get-users.ts';
import { FindUserByEmailHandler } from './users/queries/find-user-by-email.ts';
import { GetUserHandler } from './users/queries/get-user.ts';
import { ListUsersHandler } from './users/queries/list-users.ts';
import { User } from './users/user.entity.ts';
import { UsersController } from './users/users.controller.ts';
import { UsersRpc } from './users/users.rpc.ts';
import { UsersSubscriber } from './users/users.subscriber.ts';
import { UserStore } from './users/user.store.ts';

/** Identity: who there is. */
@Module({
  imports: [
    KernelModule.forService({ grpc: [identityV1] }),
    PersistenceModule.forService({
      entities: [User],
      migrations: [...eventBusMigrations, ...identityMigrations],
    }),
    EventBusModule.forService({ events: [identityEvents] }),
    DiscoveryModule.forService(),
    CacheModule.forService(),
    GuardsModule.forService(),
    EventOperationsModule,
    CqrsModule.forRoot(),
  ],
  controllers: [UsersController, UsersRpc],
  providers: [
    UserStore,
    UsersSubscriber,
    CreateUserHandler,
    UpdateUserHandler,
    DeactivateUserHandler,
    ReactivateUserHandler,
    DeleteUserHandler,
    GetUserHandler,
    ListUsersHandler,
    BatchGetUsersHandler,
    FindUserByEmailHandler,
  ],
})
export class IdentityModule {}
