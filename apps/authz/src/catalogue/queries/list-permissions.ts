import { type Page, Pages } from '@gatehouse/persistence';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import { Catalogue } from '../catalogue.ts';
import type { ListPermissionsQuery, PermissionView } from '../permissions.schemas.ts';

export class ListPermissions extends Query<Page<PermissionView>> {
  constructor(readonly query: ListPermissionsQuery) {
    super();
  }
}

@QueryHandler(ListPermissions)
export class ListPermissionsHandler implements IQueryHandler<ListPermissions> {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly pages: Pages,
  ) {}

  async execute({ query }: ListPermissions): Promise<Page<PermissionView>> {
    const { page_size: pageSize, page_token: pageToken, ...filters } = query;
    const rows = this.catalogue.rows.createQueryBuilder('permission');
    if (filters.service !== undefined) rows.andWhere('permission.service = :service', filters);
    const page = await this.pages.paginate(rows, {
      pageSize,
      pageToken,
      orderBy: ['name'],
      bind: filters,
    });
    return {
      ...page,
      items: page.items.map(({ name, service, description, scope, stale }) => ({
        name,
        service,
        description,
        scope,
        stale,
      })),
    };
  }
}
