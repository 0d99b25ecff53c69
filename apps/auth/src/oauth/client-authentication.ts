import { InvalidClient } from '@gatehouse/contracts-auth';
import { AuditTrail } from '@gatehouse/guards';
import { Uuid } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { isClientSecret } from '../clients/client-secret.ts';
import type { Client } from '../clients/client.entity.ts';
import { ClientStore } from '../clients/client.store.ts';
import type { PresentedClient } from './presented-client.ts';

/** Knows service accounts by their secret. */
@Injectable()
export class ClientAuthentication {
  constructor(
    private readonly clients: ClientStore,
    private readonly audit: AuditTrail,
  ) {}

  /** In a transaction the client stays what it is until its end. @throws InvalidClient */
  async authenticate({ id, secret }: PresentedClient): Promise<Client> {
    const uuid = Uuid.safeParse(id);
    const client = uuid.success ? await this.clients.findForShare(uuid.data) : null;
    if (!isClientSecret(secret ?? '', client?.secretHash) || client === null)
      throw new InvalidClient();
    return client;
  }

  /** After the transaction, which the failure has ended. */
  async recordRefusal({ id }: PresentedClient): Promise<void> {
    await this.audit.record({
      action: 'auth.token.issue',
      actor: { type: 'anonymous' },
      outcome: 'failure',
      reason: InvalidClient.code,
      target: { type: 'client', id: Uuid.safeParse(id).data ?? '' },
    });
  }
}
