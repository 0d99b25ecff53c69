import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { toView } from '../client.mapping.ts';
import { ClientStore } from '../client.store.ts';
import type { ClientView, UpdateClientBody } from '../clients.schemas.ts';

export class UpdateClient extends Command<ClientView> {
  constructor(
    readonly id: string,
    readonly change: UpdateClientBody,
    readonly expectedVersion: number | undefined,
  ) {
    super();
  }
}

@CommandHandler(UpdateClient)
export class UpdateClientHandler implements ICommandHandler<UpdateClient> {
  constructor(private readonly clients: ClientStore) {}

  /**
   * @throws ClientNotFound, ClientExists
   * @throws PreconditionFailed where the client has another version
   */
  @Transactional()
  async execute({ id, change, expectedVersion }: UpdateClient): Promise<ClientView> {
    const client = await this.clients.lock(id, expectedVersion);
    client.name = change.name ?? client.name;
    client.description = change.description ?? client.description;
    return toView(await this.clients.save(client));
  }
}
