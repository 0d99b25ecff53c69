import { AuditEntryNotFound } from '@gatehouse/contracts-audit';
import type { Principal } from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import type { EntryView } from '../entries.schemas.ts';
import { Entry } from '../entry.entity.ts';
import { EntryViews } from '../entry.views.ts';

export class GetEntry extends Query<EntryView> {
  constructor(
    readonly who: Principal,
    readonly id: string,
  ) {
    super();
  }
}

@QueryHandler(GetEntry)
export class GetEntryHandler implements IQueryHandler<GetEntry> {
  constructor(
    private readonly database: Database,
    private readonly views: EntryViews,
  ) {}

  /** @throws AuditEntryNotFound, also for one of another organization than the caller's token chose */
  async execute({ who, id }: GetEntry): Promise<EntryView> {
    const entry = await this.database.repository(Entry).findOneBy({ id });
    const visible =
      who.organizationId === undefined || entry?.organizationId === who.organizationId;
    if (!entry || !visible) throw new AuditEntryNotFound();
    const [view] = await this.views.of([entry]);
    return view as EntryView;
  }
}
