import type { Principal } from '@gatehouse/kernel';
import { type Page, Pages } from '@gatehouse/persistence';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import { ownerScope } from '../../decisions/scope.ts';
import { BindingStore } from '../binding.store.ts';
import { type BindingView, type ListBindingsQuery, toView } from '../bindings.schemas.ts';

/** Newest first; with an organization's token, that organization's only. */
export class ListBindings extends Query<Page<BindingView>> {
  constructor(
    readonly who: Principal,
    readonly query: ListBindingsQuery,
  ) {
    super();
  }
}

@QueryHandler(ListBindings)
export class ListBindingsHandler implements IQueryHandler<ListBindings> {
  constructor(
    private readonly bindings: BindingStore,
    private readonly pages: Pages,
  ) {}

  async execute({ who, query }: ListBindings): Promise<Page<BindingView>> {
    const { page_size: pageSize, page_token: pageToken, ...filters } = query;
    const rows = this.bindings.rows
      .createQueryBuilder('binding')
      .innerJoinAndSelect('binding.role', 'role');
    if (who.organizationId !== undefined) {
      rows.andWhere('binding.scope = :visible', { visible: ownerScope(who.organizationId) });
    }
    if (filters.subject_id !== undefined)
      rows.andWhere('binding.subject_id = :subject_id', filters);
    if (filters.role !== undefined) rows.andWhere('role.name = :role', filters);
    if (filters.scope !== undefined) rows.andWhere('binding.scope = :scope', filters);
    const page = await this.pages.paginate(rows, {
      pageSize,
      pageToken,
      orderBy: ['-id'],
      bind: { ...filters, organization: who.organizationId },
    });
    return { ...page, items: page.items.map(toView) };
  }
}
