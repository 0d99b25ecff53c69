import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { auditV1, type AuditEntry } from '@gatehouse/contracts-audit';
import { authV1, type Revocation } from '@gatehouse/contracts-auth';
import {
  authzV1,
  type Change,
  type PermissionDeclaration,
  type Role,
  type SubjectGrants,
} from '@gatehouse/contracts-authz';
import { ServiceUnavailable } from '@gatehouse/contracts-platform';
import { createService, KernelModule, type RunningService } from '@gatehouse/kernel';
import { Controller, Module } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

/** What the stand-ins for Auth, Authz and Audit know and were told; tests change it while they run. */
export class CoreState {
  revocations: Revocation[] = [];
  roles: Role[] = [];
  subjects = new Map<string, SubjectGrants>();
  changes: Change[] = [];
  head = 0;
  signedKeySet: () => string = () => '';
  entries: AuditEntry[] = [];
  registered: { permissions: PermissionDeclaration[]; manifestDigest: string }[] = [];
  /** While true every call fails and no heartbeat is sent. */
  down = false;
  keySetCalls = 0;
  listGrantsCalls = 0;
  batches = 0;

  revoke(item: Omit<Revocation, 'number'>): void {
    this.revocations.push({ number: ++this.head, ...item });
  }

  role(role: Partial<Role> & Pick<Role, 'id'>): void {
    const whole: Role = {
      name: role.id,
      organizationId: '',
      permissions: [],
      allPermissions: false,
      deleted: false,
      implicit: false,
      ...role,
    };
    this.changes.push({ number: ++this.head, role: whole });
  }

  bind(subjectId: string, ...bindings: [roleId: string, scope: string][]): void {
    const subject: SubjectGrants = {
      subjectId,
      number: ++this.head,
      bindings: bindings.map(([roleId, scope]) => ({ id: '', subjectId, roleId, scope })),
    };
    this.subjects.set(subjectId, subject);
    this.changes.push({ number: this.head, subject });
  }

  up(): void {
    if (this.down) throw new ServiceUnavailable('down for the test');
  }
}

/** One instance of the core services. */
export interface CoreInstance {
  /** While true its streams say nothing, as those of a process that is stopped do. */
  silent: boolean;
}

const HEARTBEAT_MS = 50;

const pause = () => new Promise((resolve) => setTimeout(resolve, HEARTBEAT_MS).unref());

/** Auth, Authz and Audit in one process, over real gRPC. */
export async function startCore(
  state: CoreState,
  instance: CoreInstance = { silent: false },
): Promise<RunningService> {
  @Controller()
  class CoreRpc {
    @GrpcMethod('AuthService', 'GetKeySet')
    getKeySet() {
      state.up();
      state.keySetCalls += 1;
      return { signedKeySet: state.signedKeySet() };
    }

    @GrpcMethod('AuthService', 'WatchRevocations')
    async *watchRevocations({ after }: { after: number }) {
      let sent = after;
      for (;;) {
        while (instance.silent) await pause();
        state.up();
        const head = state.head;
        for (const revocation of state.revocations.filter(({ number }) => number > sent)) {
          yield { revocation };
        }
        sent = head;
        yield { heartbeat: { head } };
        await pause();
      }
    }

    @GrpcMethod('AuthzService', 'WatchChanges')
    async *watchChanges({ after }: { after: number }) {
      let sent = after;
      for (;;) {
        while (instance.silent) await pause();
        state.up();
        const head = state.head;
        for (const change of state.changes.filter(({ number }) => number > sent)) yield { change };
        sent = head;
        yield { heartbeat: { head } };
        await pause();
      }
    }

    @GrpcMethod('AuthzService', 'ListGrants')
    listGrants({ subjectId }: { subjectId: string }) {
      state.up();
      state.listGrantsCalls += 1;
      const bindings = state.subjects.get(subjectId)?.bindings ?? [];
      return { grants: { subjectId, bindings, number: state.head } };
    }

    @GrpcMethod('AuthzService', 'RegisterPermissions')
    registerPermissions(message: CoreState['registered'][number]) {
      state.up();
      state.registered.push(message);
      return { added: message.permissions.length, stale: 0 };
    }

    @GrpcMethod('AuditService', 'Record')
    record({ entry }: { entry: AuditEntry }) {
      state.up();
      state.entries.push(entry);
      return { index: state.entries.length };
    }

    @GrpcMethod('AuditService', 'RecordBatch')
    recordBatch({ entries }: { entries: AuditEntry[] }) {
      state.up();
      state.batches += 1;
      const known = new Set(state.entries.map(({ id }) => id));
      state.entries.push(...entries.filter(({ id }) => !known.has(id)));
      return { recorded: entries.length };
    }
  }

  @Module({
    imports: [KernelModule.forService({ grpc: [authV1, authzV1, auditV1] })],
    controllers: [CoreRpc],
  })
  class CoreModule {}
  return createService(CoreModule, { env: QUICK, packageDir: packageOf('core') });
}

export const QUICK = {
  GATEHOUSE_PROFILE: 'embedded',
  LOG_LEVEL: 'silent',
  SHUTDOWN_DRAIN_SECONDS: '0',
};

/** A folder with the package.json of a service. */
export function packageOf(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `gatehouse-${name}-`));
  const gatehouse = { name, prefixes: [`/v1/${name}`] };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ version: '1.0.0', gatehouse }));
  return folder;
}
