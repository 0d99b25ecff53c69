import { readFileSync } from 'node:fs';
import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';

import { type AuditEntry, auditV1 } from '@gatehouse/contracts-audit';
import { authV1, type Revocation } from '@gatehouse/contracts-auth';
import { authzV1, type Change, type Role, type SubjectGrants } from '@gatehouse/contracts-authz';
import { Announcement, DiscoveryModule } from '@gatehouse/discovery';
import { KernelModule, Lifecycle } from '@gatehouse/kernel';
import { Controller, Module, type Type } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

import { signKeySet } from '../../authentication/signed-key-set.ts';
import type { TestIssuer } from '../test-issuer.ts';

const HEARTBEAT_MS = 50;
const ROLE = 'granted by the test';

/** What the stand-ins for Auth, Authz and Audit say, and what they were told. Tests change it while they run. */
export class StandInState {
  /** Entries that Audit was handed, in order. */
  readonly entries: AuditEntry[] = [];
  readonly revocations: Revocation[] = [];
  readonly changes: Change[] = [];
  private readonly subjects = new Map<string, SubjectGrants>();
  head = 0;

  constructor(readonly issuer: TestIssuer) {}

  /** See `ServiceUnderTest.grant`. */
  grant(subjectId: string, permissions: readonly string[], scope = 'platform'): void {
    const id = `role-${++this.head}`;
    const role: Role = {
      id,
      name: `${ROLE} ${this.head}`,
      organizationId: '',
      permissions: [...permissions],
      allPermissions: false,
      deleted: false,
      implicit: false,
    };
    this.changes.push({ number: this.head, role });
    const bindings = [
      ...(this.subjects.get(subjectId)?.bindings ?? []),
      { id: '', subjectId, roleId: id, scope },
    ];
    const subject: SubjectGrants = { subjectId, number: ++this.head, bindings };
    this.subjects.set(subjectId, subject);
    this.changes.push({ number: this.head, subject });
  }

  grantsOf(subjectId: string): SubjectGrants {
    return this.subjects.get(subjectId) ?? { subjectId, bindings: [], number: this.head };
  }
}

/** A service of that name which says what the state says, over real gRPC and real discovery. */
export function standInOf(
  name: 'auth' | 'authz' | 'audit',
  state: StandInState,
  credentialsDir: string,
): Type {
  const [contract, controller] = {
    auth: () => [authV1, authController(state, credentialsDir)] as const,
    authz: () => [authzV1, authzController(state)] as const,
    audit: () => [auditV1, auditController(state)] as const,
  }[name]();
  @Module({
    imports: [KernelModule.forService({ grpc: [contract] }), DiscoveryModule.forService()],
    controllers: [controller],
  })
  class StandInModule {}
  return StandInModule;
}

/** A service that is there, and serves that manifest to nobody. */
export function peerWith(manifestDigest: string): Type {
  @Module({ imports: [KernelModule.forService(), DiscoveryModule.forService()] })
  class PeerModule {
    constructor(lifecycle: Lifecycle, announcement: Announcement) {
      lifecycle.onStart('transports', 'say which manifest', () =>
        announcement.set({ bytes: new Uint8Array(), digest: manifestDigest }),
      );
    }
  }
  return PeerModule;
}

function authController(state: StandInState, credentialsDir: string): Type {
  const key = createPrivateKey(readFileSync(join(credentialsDir, 'service-key'), 'utf8'));
  @Controller()
  class AuthStandIn {
    @GrpcMethod('AuthService', 'GetKeySet')
    getKeySet() {
      return { signedKeySet: signKeySet(state.issuer.document(), key) };
    }

    @GrpcMethod('AuthService', 'WatchRevocations')
    async *watchRevocations({ after }: { after: number }) {
      for await (const { sent, head } of beats(after, state)) {
        for (const revocation of state.revocations.filter(({ number }) => number > sent)) {
          yield { revocation };
        }
        yield { heartbeat: { head } };
      }
    }
  }
  return AuthStandIn;
}

function authzController(state: StandInState): Type {
  @Controller()
  class AuthzStandIn {
    @GrpcMethod('AuthzService', 'WatchChanges')
    async *watchChanges({ after }: { after: number }) {
      for await (const { sent, head } of beats(after, state)) {
        for (const change of state.changes.filter(({ number }) => number > sent)) yield { change };
        yield { heartbeat: { head } };
      }
    }

    @GrpcMethod('AuthzService', 'ListGrants')
    listGrants({ subjectId }: { subjectId: string }) {
      return { grants: state.grantsOf(subjectId) };
    }

    @GrpcMethod('AuthzService', 'RegisterPermissions')
    registerPermissions() {
      return { added: 0, stale: 0 };
    }
  }
  return AuthzStandIn;
}

function auditController(state: StandInState): Type {
  @Controller()
  class AuditStandIn {
    @GrpcMethod('AuditService', 'Record')
    record({ entry }: { entry: AuditEntry }) {
      return { index: state.entries.push(entry) - 1 };
    }

    @GrpcMethod('AuditService', 'RecordBatch')
    recordBatch({ entries }: { entries: AuditEntry[] }) {
      const known = new Set(state.entries.map(({ id }) => id));
      state.entries.push(...entries.filter(({ id }) => !known.has(id)));
      return { recorded: entries.length };
    }
  }
  return AuditStandIn;
}

async function* beats(after: number, state: StandInState) {
  for (let sent = after; ;) {
    const { head } = state;
    yield { sent, head };
    sent = head;
    await new Promise((resolve) => setTimeout(resolve, HEARTBEAT_MS).unref());
  }
}
