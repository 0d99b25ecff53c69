import { type Page, Pages } from '@gatehouse/persistence';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import { toView } from '../user.mapping.ts';
import { UserStore } from '../user.store.ts';
import type { ListUsersQuery, UserView } from '../users.schemas.ts';

export class ListUsers extends Query<Page<UserView>> {
  constructor(readonly query: ListUsersQuery) {
    super();
  }
}

@QueryHandler(ListUsers)
export class ListUsersHandler implements IQueryHandler<ListUsers> {
  constructor(
    private readonly users: UserStore,
    private readonly pages: Pages,
  ) {}

  /** Newest first: ids are UUIDv7. */
  async execute({ query }: ListUsers): Promise<Page<UserView>> {
    const { page_size: pageSize, page_token: pageToken, ...filters } = query;
    const rows = this.users.rows.createQueryBuilder('user');
    if (filters.status !== undefined) rows.andWhere('user.status = :status', filters);
    if (filters.email !== undefined) rows.andWhere('user.email = :email', filters);
    if (filters.q !== undefined) {
      rows.andWhere('(user.email LIKE :prefix OR lower(user.display_name) LIKE :prefix)', {
        prefix: `${escapeLike(filters.q.toLowerCase())}%`,
      });
    }
    const page = await this.pages.paginate(rows, {
      pageSize,
      pageToken,
      orderBy: ['-id'],
      bind: filters,
    });
    return { ...page, items: page.items.map(toView) };
  }
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
