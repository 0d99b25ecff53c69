import { auditV1 } from '@gatehouse/contracts-audit';
import { DiscoveryModule } from '@gatehouse/discovery';
import { EventBusModule, eventBusMigrations } from '@gatehouse/event-bus';
import { EventOperationsModule, GuardsModule } from '@gatehouse/guards';
import { KernelModule } from '@gatehouse/kernel';
import { PersistenceModule } from '@gatehouse/persistence';
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';

import { AuditConfig } from './audit.config.ts';
import { RecordEntriesHandler } from './entries/commands/record-entries.ts';
import { EntriesController } from './entries/entries.controller.ts';
import { EntriesRpc } from './entries/entries.rpc.ts';
import { Entry } from './entries/entry.entity.ts';
import { EntryViews } from './entries/entry.views.ts';
import { GetEntryHandler } from './entries/queries/get-entry.ts';
import { ListEntriesHandler } from './entries/queries/list-entries.ts';
import { LogTable } from './log/log.table.ts';
import { Sequencer } from './log/sequencer.ts';
import { auditMigrations } from './migrations/audit.migrations.ts';
import { SubjectKeys } from './personal/subject-keys.ts';

/** Audit: who did what. */
@Module({
  imports: [
    KernelModule.forService({ grpc: [auditV1] }),
    PersistenceModule.forService({
      entities: [Entry],
      migrations: [...eventBusMigrations, ...auditMigrations],
    }),
    EventBusModule.forService(),
    DiscoveryModule.forService(),
    GuardsModule.forService(),
    EventOperationsModule,
    CqrsModule.forRoot(),
  ],
  controllers: [EntriesController, EntriesRpc],
  providers: [
    AuditConfig,
    // the log
    LogTable,
    Sequencer,
    SubjectKeys,
    // entries
    RecordEntriesHandler,
    EntryViews,
    GetEntryHandler,
    ListEntriesHandler,
  ],
})
export class AuditModule {}
