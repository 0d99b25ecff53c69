import { InvalidClient } from '@gatehouse/contracts-auth';
import { AuditTrail } from '@gatehouse/guards';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import type { Client } from '../../clients/client.entity.ts';
import { type IssuedToken, TokenIssuer } from '../../tokens/token-issuer.ts';
import { ClientAuthentication } from '../client-authentication.ts';
import type { PresentedClient } from '../presented-client.ts';

/** RFC 6749 4.4: a token for a service account itself. No refresh token: the secret serves again. */
export class IssueClientToken extends Command<IssuedToken> {
  constructor(readonly client: PresentedClient) {
    super();
  }
}

@CommandHandler(IssueClientToken)
export class IssueClientTokenHandler implements ICommandHandler<IssueClientToken> {
  constructor(
    private readonly authentication: ClientAuthentication,
    private readonly issuer: TokenIssuer,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws InvalidClient */
  async execute({ client: presented }: IssueClientToken): Promise<IssuedToken> {
    const client = await this.admit(presented).catch(async (error: unknown) => {
      if (error instanceof InvalidClient) await this.authentication.recordRefusal(presented);
      throw error;
    });
    return this.issuer.issue(
      {
        id: client.id,
        type: 'service',
        // A service account counts as one session.
        sessionId: client.id,
        clientId: client.id,
        organizationId: client.organizationId,
      },
      'client_credentials',
    );
  }

  @Transactional()
  async admit(presented: PresentedClient): Promise<Client> {
    const client = await this.authentication.authenticate(presented);
    await this.audit.record({
      action: 'auth.token.issue',
      actor: { type: 'service', id: client.id, sessionId: client.id },
      target: { type: 'client', id: client.id },
    });
    return client;
  }
}
