import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { toView } from '../client.mapping.ts';
import { newClientSecret } from '../client-secret.ts';
import { ClientStore } from '../client.store.ts';
import type { ClientWithSecretView } from '../clients.schemas.ts';

/** A new secret; the old one is worth nothing from now on. Tokens that are out stay good until they expire. */
export class RotateClientSecret extends Command<ClientWithSecretView> {
  constructor(readonly id: string) {
    super();
  }
}

@CommandHandler(RotateClientSecret)
export class RotateClientSecretHandler implements ICommandHandler<RotateClientSecret> {
  constructor(private readonly clients: ClientStore) {}

  /** @throws ClientNotFound */
  @Transactional()
  async execute({ id }: RotateClientSecret): Promise<ClientWithSecretView> {
    const client = await this.clients.lock(id);
    const { secret, hash } = newClientSecret();
    client.secretHash = hash;
    client.secretChangedAt = new Date();
    return { ...toView(await this.clients.save(client)), client_secret: secret };
  }
}
