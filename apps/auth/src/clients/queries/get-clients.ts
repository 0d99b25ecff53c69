import { type Page, Pages } from '@gatehouse/persistence';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import { toView } from '../client.mapping.ts';
import { ClientStore } from '../client.store.ts';
import type { ClientView, ListClientsQuery } from '../clients.schemas.ts';

export class GetClient extends Query<ClientView> {
  constructor(readonly id: string) {
    super();
  }
}

export class ListClients extends Query<Page<ClientView>> {
  constructor(readonly query: ListClientsQuery) {
    super();
  }
}

@QueryHandler(GetClient)
export class GetClientHandler implements IQueryHandler<GetClient> {
  constructor(private readonly clients: ClientStore) {}

  /** @throws ClientNotFound */
  async execute({ id }: GetClient): Promise<ClientView> {
    return toView(await this.clients.get(id));
  }
}

@QueryHandler(ListClients)
export class ListClientsHandler implements IQueryHandler<ListClients> {
  constructor(
    private readonly clients: ClientStore,
    private readonly pages: Pages,
  ) {}

  /** Newest first: ids are UUIDv7. */
  async execute({ query }: ListClients): Promise<Page<ClientView>> {
    const page = await this.pages.paginate(this.clients.rows.createQueryBuilder('client'), {
      pageSize: query.page_size,
      pageToken: query.page_token,
      orderBy: ['-id'],
    });
    return { ...page, items: page.items.map(toView) };
  }
}
