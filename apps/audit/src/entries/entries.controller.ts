import { CurrentPrincipal, RequirePermission } from '@gatehouse/guards';
import { Answers, type Principal, Uuid } from '@gatehouse/kernel';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';

import { EntryBody, EntryPage, ListEntriesQuery } from './entries.schemas.ts';
import { GetEntry } from './queries/get-entry.ts';
import { ListEntries } from './queries/list-entries.ts';

@Controller('v1/audit/entries')
export class EntriesController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @RequirePermission('audit.entry.read', { description: 'Read the audit log' })
  @Answers(200, EntryPage, 'Entries, newest first')
  list(
    @CurrentPrincipal() who: Principal,
    @Query({ schema: ListEntriesQuery }) query: ListEntriesQuery,
  ) {
    return this.queries.execute(new ListEntries(who, query));
  }

  @Get(':id')
  @RequirePermission('audit.entry.read', { description: 'Read the audit log' })
  @Answers(200, EntryBody, 'The entry')
  get(@CurrentPrincipal() who: Principal, @Param('id', { schema: Uuid }) id: string) {
    return this.queries.execute(new GetEntry(who, id));
  }
}
