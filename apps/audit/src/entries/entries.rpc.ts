import { NotAuthenticated } from '@gatehouse/contracts-platform';
import { AllowedClients, ANY_SERVICE } from '@gatehouse/guards';
import { requestContext } from '@gatehouse/kernel';
import { Controller } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import type { z } from 'zod';

import { RecordEntries } from './commands/record-entries.ts';
import { RecordBatchMessage, RecordMessage } from './entry.messages.ts';

/** Any service may record what it did; `recorded_by` is what its signature says. */
@Controller()
export class EntriesRpc {
  constructor(private readonly commands: CommandBus) {}

  @GrpcMethod('AuditService', 'Record')
  @AllowedClients(ANY_SERVICE)
  async record(@Payload({ schema: RecordMessage }) { entry }: z.infer<typeof RecordMessage>) {
    const { index } = await this.commands.execute(
      new RecordEntries(caller(), [entry], { refuseConflict: true }),
    );
    return { index };
  }

  @GrpcMethod('AuditService', 'RecordBatch')
  @AllowedClients(ANY_SERVICE)
  async recordBatch(
    @Payload({ schema: RecordBatchMessage }) { entries }: z.infer<typeof RecordBatchMessage>,
  ) {
    const { recorded } = await this.commands.execute(
      new RecordEntries(caller(), entries, { refuseConflict: false }),
    );
    return { recorded };
  }
}

function caller(): string {
  const { caller: service } = requestContext.require();
  if (service === undefined) throw new NotAuthenticated();
  return service;
}
