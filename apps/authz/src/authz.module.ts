import { authzEvents, authzV1 } from '@gatehouse/contracts-authz';
import { DiscoveryModule } from '@gatehouse/discovery';
import { EventBusModule, eventBusMigrations } from '@gatehouse/event-bus';
import { EventOperationsModule, GuardsModule } from '@gatehouse/guards';
import { KernelModule } from '@gatehouse/kernel';
import { PersistenceModule } from '@gatehouse/persistence';
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';

import { AuthzRpc } from './authz.rpc.ts';
import { AdministratorLock } from './bindings/administrator.lock.ts';
import { Binding } from './bindings/binding.entity.ts';
import { BindingStore } from './bindings/binding.store.ts';
import { BindingsController } from './bindings/bindings.controller.ts';
import { BindingsSubscriber } from './bindings/bindings.subscriber.ts';
import { BootstrapAdministratorHandler } from './bindings/commands/bootstrap-administrator.ts';
import { CreateBindingHandler } from './bindings/commands/create-binding.ts';
import { DeleteBindingHandler } from './bindings/commands/delete-binding.ts';
import { DropSubjectHandler } from './bindings/commands/drop-subject.ts';
import { GetBindingHandler } from './bindings/queries/get-binding.ts';
import { ListBindingsHandler } from './bindings/queries/list-bindings.ts';
import { Catalogue } from './catalogue/catalogue.ts';
import { RegisterPermissionsHandler } from './catalogue/commands/register-permissions.ts';
import { Declarations } from './catalogue/declarations.ts';
import { LocalPermissionSink } from './catalogue/local-permission.sink.ts';
import { Permission } from './catalogue/permission.entity.ts';
import { PermissionsController } from './catalogue/permissions.controller.ts';
import { ListPermissionsHandler } from './catalogue/queries/list-permissions.ts';
import { StaleWatch } from './catalogue/stale.watch.ts';
import { GrantChanges } from './changes/grant-changes.ts';
import { GrantFeed } from './changes/grant-feed.ts';
import { DecisionsController } from './decisions/decisions.controller.ts';
import { Holdings } from './decisions/holdings.ts';
import { CheckBatchHandler } from './decisions/queries/check-batch.ts';
import { CheckHandler } from './decisions/queries/check.ts';
import { GetSubjectPermissionsHandler } from './decisions/queries/get-subject-permissions.ts';
import { authzMigrations } from './migrations/authz.migrations.ts';
import { CreateRoleHandler } from './roles/commands/create-role.ts';
import { DeleteRoleHandler } from './roles/commands/delete-role.ts';
import { UpdateRoleHandler } from './roles/commands/update-role.ts';
import { GetRoleHandler } from './roles/queries/get-role.ts';
import { ListRolesHandler } from './roles/queries/list-roles.ts';
import { Role } from './roles/role.entity.ts';
import { RoleStore } from './roles/role.store.ts';
import { RolesController } from './roles/roles.controller.ts';

/** Authz: who may do what. */
@Module({
  imports: [
    KernelModule.forService({ grpc: [authzV1] }),
    PersistenceModule.forService({
      entities: [Permission, Role, Binding],
      migrations: [...eventBusMigrations, ...authzMigrations],
    }),
    EventBusModule.forService({ events: [authzEvents] }),
    DiscoveryModule.forService(),
    CqrsModule.forRoot(),
    // Its own decisions and catalogue come from its own tables.
    GuardsModule.forService({ grants: GrantFeed, permissionSink: LocalPermissionSink }),
    EventOperationsModule,
  ],
  controllers: [
    PermissionsController,
    RolesController,
    BindingsController,
    DecisionsController,
    AuthzRpc,
  ],
  providers: [
    // the catalogue
    Catalogue,
    Declarations,
    StaleWatch,
    RegisterPermissionsHandler,
    ListPermissionsHandler,
    // roles
    RoleStore,
    CreateRoleHandler,
    UpdateRoleHandler,
    DeleteRoleHandler,
    GetRoleHandler,
    ListRolesHandler,
    // bindings
    BindingStore,
    AdministratorLock,
    BindingsSubscriber,
    CreateBindingHandler,
    DeleteBindingHandler,
    DropSubjectHandler,
    BootstrapAdministratorHandler,
    GetBindingHandler,
    ListBindingsHandler,
    // decisions
    Holdings,
    CheckHandler,
    CheckBatchHandler,
    GetSubjectPermissionsHandler,
    // what the edge follows
    GrantFeed,
    GrantChanges,
  ],
})
export class AuthzModule {}
