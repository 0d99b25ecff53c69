import { InvalidClient } from '@gatehouse/contracts-auth';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Transactional } from '@gatehouse/persistence';

import { ClientAuthentication } from '../client-authentication.ts';
import type { PresentedClient } from '../presented-client.ts';

/** Knows the client by its secret, or throws. */
export class AuthenticateClient extends Command<void> {
  constructor(readonly client: PresentedClient) {
    super();
  }
}

@CommandHandler(AuthenticateClient)
export class AuthenticateClientHandler implements ICommandHandler<AuthenticateClient> {
  constructor(private readonly authentication: ClientAuthentication) {}

  /** @throws InvalidClient */
  async execute({ client }: AuthenticateClient): Promise<void> {
    await this.check(client).catch(async (error: unknown) => {
      if (error instanceof InvalidClient) await this.authentication.recordRefusal(client);
      throw error;
    });
  }

  /** The row is locked while it is looked at. */
  @Transactional()
  async check(client: PresentedClient): Promise<void> {
    await this.authentication.authenticate(client);
  }
}
