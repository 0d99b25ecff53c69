import { createGrpcClient, type GrpcClient } from '@gatehouse/clients';
import { auditV1 } from '@gatehouse/contracts-audit';
import {
  CallerNotAllowed,
  NotAuthenticated,
  PermissionDenied,
} from '@gatehouse/contracts-platform';
import { requestContext } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

import { AllowedClients, Public, RequirePermission } from '../src/index.ts';
import { GuardedService } from './support/guarded-service.ts';

/** The service under test serves the contract of Audit, because guards may know no other. */
@Controller()
class RecordsRpc {
  @GrpcMethod('AuditService', 'Record')
  @AllowedClients('identity')
  record() {
    return { index: requestContext.require().principal === undefined ? 1 : 2 };
  }

  @GrpcMethod('AuditService', 'RecordBatch')
  @AllowedClients('identity')
  @RequirePermission('orders.record.write')
  recordBatch() {
    return { recorded: 1 };
  }
}

@Controller()
class OpenRpc {
  @GrpcMethod('AuditService', 'Record')
  @Public()
  record() {
    return { index: 3 };
  }

  @GrpcMethod('AuditService', 'RecordBatch')
  @AllowedClients('identity')
  recordBatch() {
    return { recorded: 0 };
  }
}

const clients: GrpcClient<typeof auditV1>[] = [];

function clientOf(service: GuardedService, metadata: Record<string, string> = {}) {
  const client = createGrpcClient(auditV1, {
    address: service.grpcAddress,
    metadata: () => metadata,
  });
  clients.push(client);
  return client;
}

describe('the access rules over gRPC', () => {
  let service: GuardedService;

  beforeAll(async () => {
    service = await GuardedService.start({ controllers: [RecordsRpc] }, { grpc: [auditV1] });
    service.core.role({ id: 'writer', permissions: ['orders.record.write'] });
    service.core.bind('writer-1', ['writer', 'platform']);
    await new Promise((resolve) => setTimeout(resolve, 150));
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await service.stop();
  });

  it('lets nobody in without a credential', async () => {
    await expect(clientOf(service).record({})).rejects.toThrow(NotAuthenticated);
    await expect(clientOf(service).recordBatch({ entries: [] })).rejects.toThrow(NotAuthenticated);
  });

  it("lets nobody in by a user's token alone", async () => {
    const authorization = `Bearer ${service.issuer.token({ sub: 'writer-1' })}`;
    await expect(clientOf(service, { authorization }).record({})).rejects.toThrow(NotAuthenticated);
    await expect(clientOf(service, { authorization }).recordBatch({ entries: [] })).rejects.toThrow(
      NotAuthenticated,
    );
  });

  it('lets in the services named, and no other', async () => {
    const identity = { 'gatehouse-via': await service.via('identity') };
    await expect(clientOf(service, identity).record({})).resolves.toEqual({ index: 1 });
    const audit = { 'gatehouse-via': await service.via('audit') };
    await expect(clientOf(service, audit).record({})).rejects.toThrow(CallerNotAllowed);
    const elsewhere = { 'gatehouse-via': await service.via('identity', 'auth') };
    await expect(clientOf(service, elsewhere).record({})).rejects.toThrow(NotAuthenticated);
  });

  it('knows the user a service calls for, and refuses a bad token of one', async () => {
    const via = { 'gatehouse-via': await service.via('identity') };
    const authorization = `Bearer ${service.issuer.token()}`;
    await expect(clientOf(service, { ...via, authorization }).record({})).resolves.toEqual({
      index: 2,
    });
    const bad = clientOf(service, { ...via, authorization: 'Bearer rubbish' });
    await expect(bad.record({})).rejects.toThrow(NotAuthenticated);
  });

  it('asks for the permission of that user where it is declared', async () => {
    const via = { 'gatehouse-via': await service.via('identity') };
    const as = (sub: string) =>
      clientOf(service, {
        ...via,
        authorization: `Bearer ${service.issuer.token({ sub })}`,
      }).recordBatch({ entries: [] });
    await expect(as('writer-1')).resolves.toEqual({ recorded: 1 });
    await expect(as('reader-1')).rejects.toThrow(PermissionDenied);
    await expect(clientOf(service, via).recordBatch({ entries: [] })).rejects.toThrow(
      NotAuthenticated,
    );
  });
});

describe('a gRPC method that is @Public', () => {
  it('needs no credential, and opens nothing beside it', async () => {
    const service = await GuardedService.start({ controllers: [OpenRpc] }, { grpc: [auditV1] });
    const client = clientOf(service);
    await expect(client.record({})).resolves.toEqual({ index: 3 });
    await expect(client.recordBatch({ entries: [] })).rejects.toThrow(NotAuthenticated);
    client.close();
    await service.stop();
  });
});
