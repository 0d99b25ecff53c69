import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { RevocationChanges } from '../../revocations/revocation-changes.ts';
import { ClientStore } from '../client.store.ts';

/** The account goes, and its tokens are refused within a second. */
export class DeleteClient extends Command<void> {
  constructor(
    readonly id: string,
    readonly expectedVersion?: number,
  ) {
    super();
  }
}

@CommandHandler(DeleteClient)
export class DeleteClientHandler implements ICommandHandler<DeleteClient> {
  constructor(
    private readonly clients: ClientStore,
    private readonly changes: RevocationChanges,
  ) {}

  /**
   * @throws ClientNotFound
   * @throws PreconditionFailed where a version is expected and it is not this one
   */
  @Transactional()
  async execute({ id, expectedVersion }: DeleteClient): Promise<void> {
    await this.clients.lock(id, expectedVersion);
    await this.clients.rows.delete({ id });
    await this.changes.clientDeleted(id);
  }
}
