import { newId } from '@gatehouse/kernel';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { toView } from '../client.mapping.ts';
import { newClientSecret } from '../client-secret.ts';
import { ClientStore } from '../client.store.ts';
import type { ClientWithSecretView, CreateClientBody } from '../clients.schemas.ts';

/** A service account. It may do nothing until Authz binds a role to its id. */
export class CreateClient extends Command<ClientWithSecretView> {
  constructor(readonly body: CreateClientBody) {
    super();
  }
}

@CommandHandler(CreateClient)
export class CreateClientHandler implements ICommandHandler<CreateClient> {
  constructor(private readonly clients: ClientStore) {}

  /** @throws ClientExists */
  @Transactional()
  async execute({ body }: CreateClient): Promise<ClientWithSecretView> {
    const { secret, hash } = newClientSecret();
    const now = new Date();
    const client = this.clients.rows.create({
      id: newId(),
      organizationId: null,
      name: body.name,
      description: body.description ?? '',
      secretHash: hash,
      version: 1,
      createdAt: now,
      updatedAt: now,
      secretChangedAt: now,
    });
    await this.clients.insert(client);
    return { ...toView(client), client_secret: secret };
  }
}
