import { type Page, Pages } from '@gatehouse/persistence';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import { toView } from '../role.mapping.ts';
import { type Owner, RoleStore } from '../role.store.ts';
import type { ListRolesQuery, RoleView } from '../roles.schemas.ts';

/** The roles that the owner may bind: the platform's, and its own. */
export class ListRoles extends Query<Page<RoleView>> {
  constructor(
    readonly query: ListRolesQuery,
    readonly owner: Owner,
  ) {
    super();
  }
}

@QueryHandler(ListRoles)
export class ListRolesHandler implements IQueryHandler<ListRoles> {
  constructor(
    private readonly roles: RoleStore,
    private readonly pages: Pages,
  ) {}

  async execute({ query, owner }: ListRoles): Promise<Page<RoleView>> {
    const rows = this.roles.rows
      .createQueryBuilder('role')
      .where('(role.organization_id IS NULL OR role.organization_id = :owner)', {
        owner: owner ?? null,
      });
    const page = await this.pages.paginate(rows, {
      pageSize: query.page_size,
      pageToken: query.page_token,
      orderBy: ['name', 'id'],
      bind: { owner },
    });
    return { ...page, items: page.items.map(toView) };
  }
}
