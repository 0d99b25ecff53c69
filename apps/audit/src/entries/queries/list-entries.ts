import type { Principal } from '@gatehouse/kernel';
import { Database, type Page, Pages } from '@gatehouse/persistence';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import type { EntryView, ListEntriesQuery } from '../entries.schemas.ts';
import { Entry } from '../entry.entity.ts';
import { EntryViews } from '../entry.views.ts';

/** Newest first; with an organization's token, that organization's only. */
export class ListEntries extends Query<Page<EntryView>> {
  constructor(
    readonly who: Principal,
    readonly query: ListEntriesQuery,
  ) {
    super();
  }
}

const CONDITIONS = {
  actor: 'entry.actor_id = :actor',
  action: 'entry.action = :action',
  target: 'entry.target_id = :target',
  outcome: 'entry.outcome = :outcome',
  trace_id: 'entry.trace_id = :trace_id',
  from: 'entry.occurred_at >= :from',
  to: 'entry.occurred_at < :to',
} as const;

@QueryHandler(ListEntries)
export class ListEntriesHandler implements IQueryHandler<ListEntries> {
  constructor(
    private readonly database: Database,
    private readonly pages: Pages,
    private readonly views: EntryViews,
  ) {}

  async execute({ who, query }: ListEntries): Promise<Page<EntryView>> {
    const { page_size: pageSize, page_token: pageToken, ...filters } = query;
    const rows = this.database.repository(Entry).createQueryBuilder('entry');
    if (who.organizationId !== undefined) {
      rows.andWhere('entry.organization_id = :organization', { organization: who.organizationId });
    }
    for (const [name, condition] of Object.entries(CONDITIONS)) {
      const value = filters[name as keyof typeof CONDITIONS];
      if (value !== undefined) rows.andWhere(condition, { [name]: value });
    }
    const page = await this.pages.paginate(rows, {
      pageSize,
      pageToken,
      orderBy: ['-leafIndex'],
      bind: { ...filters, organization: who.organizationId },
    });
    return { ...page, items: await this.views.of(page.items) };
  }
}
