import { Audited, CurrentPrincipal, RequirePermission } from '@gatehouse/guards';
import { Answers, Location, type Principal, Uuid } from '@gatehouse/kernel';
import { Idempotent } from '@gatehouse/persistence';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';

import {
  BindingBody,
  BindingPage,
  type BindingView,
  CreateBindingBody,
  ListBindingsQuery,
} from './bindings.schemas.ts';
import { CREATE_BINDING, CreateBinding } from './commands/create-binding.ts';
import { DeleteBinding } from './commands/delete-binding.ts';
import { GetBinding } from './queries/get-binding.ts';
import { ListBindings } from './queries/list-bindings.ts';

@Controller('v1/bindings')
export class BindingsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @RequirePermission(CREATE_BINDING, { description: 'Give roles to subjects' })
  @Idempotent()
  @Audited(CREATE_BINDING, {
    metadata: (binding?: BindingView) =>
      binding && { subject_id: binding.subject_id, role: binding.role, scope: binding.scope },
  })
  @Location((binding: BindingView) => `/v1/bindings/${binding.id}`)
  @Answers(201, BindingBody, 'The new binding')
  create(
    @CurrentPrincipal() who: Principal,
    @Body({ schema: CreateBindingBody }) body: CreateBindingBody,
  ) {
    return this.commands.execute(new CreateBinding(who, body));
  }

  @Get()
  @RequirePermission('authz.binding.read', { description: 'Read who holds which role' })
  @Answers(200, BindingPage, 'Bindings, newest first')
  list(
    @CurrentPrincipal() who: Principal,
    @Query({ schema: ListBindingsQuery }) query: ListBindingsQuery,
  ) {
    return this.queries.execute(new ListBindings(who, query));
  }

  @Get(':id')
  @RequirePermission('authz.binding.read', { description: 'Read who holds which role' })
  @Answers(200, BindingBody, 'The binding')
  get(@CurrentPrincipal() who: Principal, @Param('id', { schema: Uuid }) id: string) {
    return this.queries.execute(new GetBinding(who, id));
  }

  @Delete(':id')
  @HttpCode(204)
  @RequirePermission('authz.binding.delete', { description: 'Take roles away' })
  @Audited('authz.binding.delete')
  @Answers(204)
  delete(@CurrentPrincipal() who: Principal, @Param('id', { schema: Uuid }) id: string) {
    return this.commands.execute(new DeleteBinding(who, id));
  }
}
