import { Audited, RequirePermission } from '@gatehouse/guards';
import { Answers, Location, Uuid } from '@gatehouse/kernel';
import { Etag, Idempotent, IfMatch } from '@gatehouse/persistence';
import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
} from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';

import {
  ClientBody,
  ClientPage,
  type ClientView,
  ClientWithSecretBody,
  CreateClientBody,
  ListClientsQuery,
  UpdateClientBody,
} from './clients.schemas.ts';
import { CreateClient } from './commands/create-client.ts';
import { DeleteClient } from './commands/delete-client.ts';
import { RotateClientSecret } from './commands/rotate-client-secret.ts';
import { UpdateClient } from './commands/update-client.ts';
import { GetClient, ListClients } from './queries/get-clients.ts';

/** Service accounts are global: what is asked for here is decided in the scope of the platform. */
@Controller('v1/auth/clients')
export class ClientsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @RequirePermission('auth.client.create', {
    scope: 'platform',
    description: 'Create service accounts',
  })
  @Idempotent({ secret: true })
  @Audited('auth.client.create', {
    metadata: (client?: ClientView) => client && { name: client.name },
  })
  @Header('Cache-Control', 'no-store')
  @Location((client: ClientView) => `/v1/auth/clients/${client.id}`)
  @Etag()
  @Answers(201, ClientWithSecretBody, 'The new service account, with its secret')
  create(@Body({ schema: CreateClientBody }) body: CreateClientBody) {
    return this.commands.execute(new CreateClient(body));
  }

  @Get()
  @RequirePermission('auth.client.read', {
    scope: 'platform',
    description: 'Read service accounts',
  })
  @Answers(200, ClientPage, 'Service accounts, newest first')
  list(@Query({ schema: ListClientsQuery }) query: ListClientsQuery) {
    return this.queries.execute(new ListClients(query));
  }

  @Get(':id')
  @RequirePermission('auth.client.read', {
    scope: 'platform',
    description: 'Read service accounts',
  })
  @Etag()
  @Answers(200, ClientBody, 'The service account')
  get(@Param('id', { schema: Uuid }) id: string) {
    return this.queries.execute(new GetClient(id));
  }

  @Patch(':id')
  @RequirePermission('auth.client.update', {
    scope: 'platform',
    description: 'Change service accounts and their secrets',
  })
  @Audited('auth.client.update', {
    metadata: (_client, request) => ({ members: Object.keys(request.body as object) }),
  })
  @Etag()
  @Answers(200, ClientBody, 'The service account as it is now')
  update(
    @Param('id', { schema: Uuid }) id: string,
    @IfMatch({ required: true }) version: number | undefined,
    @Body({ schema: UpdateClientBody }) body: UpdateClientBody,
  ) {
    return this.commands.execute(new UpdateClient(id, body, version));
  }

  @Post(':id/rotate-secret')
  @HttpCode(200)
  @RequirePermission('auth.client.update', {
    scope: 'platform',
    description: 'Change service accounts and their secrets',
  })
  @Idempotent({ secret: true })
  @Audited('auth.client.rotate-secret')
  @Header('Cache-Control', 'no-store')
  @Etag()
  @Answers(200, ClientWithSecretBody, 'The service account, with its new secret')
  rotateSecret(@Param('id', { schema: Uuid }) id: string) {
    return this.commands.execute(new RotateClientSecret(id));
  }

  @Delete(':id')
  @HttpCode(204)
  @RequirePermission('auth.client.delete', {
    scope: 'platform',
    description: 'Delete service accounts',
  })
  @Audited('auth.client.delete')
  @Answers(204)
  delete(@Param('id', { schema: Uuid }) id: string, @IfMatch() version: number | undefined) {
    return this.commands.execute(new DeleteClient(id, version));
  }
}
