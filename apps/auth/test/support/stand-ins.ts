import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { authzV1 } from '@gatehouse/contracts-authz';
import {
  EmailTaken,
  identityEvents,
  identityV1,
  type User,
  UserExists,
  UserNotFound,
  UserStatus,
} from '@gatehouse/contracts-identity';
import { ServiceUnavailable, toTimestamp } from '@gatehouse/contracts-platform';
import { DiscoveryModule } from '@gatehouse/discovery';
import { EventBusModule, IntegrationEvents } from '@gatehouse/event-bus';
import { createService, KernelModule, type RunningService } from '@gatehouse/kernel';
import { Database, PersistenceModule } from '@gatehouse/persistence';
import { Controller, Module } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

/** A folder with the package.json of a service. */
export function packageOf(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `gatehouse-${name}-`));
  const gatehouse = { name, prefixes: [`/v1/${name}`] };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ version: '1.0.0', gatehouse }));
  return folder;
}

export const QUICK = {
  GATEHOUSE_PROFILE: 'embedded',
  LOG_LEVEL: 'silent',
  SHUTDOWN_DRAIN_SECONDS: '0',
  EVENT_PARTITIONS: '2',
  EVENT_POLL_MS: '300',
};

type UserEvent =
  'identity.user.deactivated.v1' | 'identity.user.reactivated.v1' | 'identity.user.deleted.v1';

/** Identity as Auth sees it: users in memory over real gRPC, events over the real bus. */
export class IdentityStandIn {
  readonly users = new Map<string, User>();
  /** While true every call fails. */
  down = false;
  /** Runs after a user was created, before Auth hears of it. */
  afterCreate: () => void = () => undefined;
  created = 0;
  service!: RunningService;

  async start(env: Record<string, string>): Promise<void> {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the controller is a class of its own
    const state = this;
    const assertUp = (): void => {
      if (state.down) throw new ServiceUnavailable('down for the test');
    };

    @Controller()
    class IdentityRpc {
      @GrpcMethod('IdentityService', 'CreateUser')
      createUser({
        userId,
        email,
        displayName,
      }: {
        userId: string;
        email: string;
        displayName: string;
      }) {
        assertUp();
        const known = state.users.get(userId);
        if (known) {
          if (known.email !== email) throw new UserExists();
          return { user: known };
        }
        if (state.byEmail(email)) throw new EmailTaken();
        state.created += 1;
        const user = state.add(userId, email, displayName);
        state.afterCreate();
        return { user };
      }

      @GrpcMethod('IdentityService', 'GetUser')
      getUser({ userId }: { userId: string }) {
        assertUp();
        const user = state.users.get(userId);
        if (!user) throw new UserNotFound();
        return { user };
      }

      @GrpcMethod('IdentityService', 'FindByEmail')
      findByEmail({ email }: { email: string }) {
        assertUp();
        const user = state.byEmail(email);
        return user ? { user } : {};
      }
    }

    @Module({
      imports: [
        KernelModule.forService({ grpc: [identityV1] }),
        PersistenceModule.forService({ entities: [], migrations: [] }),
        EventBusModule.forService({ events: [identityEvents] }),
        DiscoveryModule.forService(),
      ],
      controllers: [IdentityRpc],
    })
    class IdentityStandInModule {}
    this.service = await createService(IdentityStandInModule, {
      env,
      packageDir: packageOf('identity'),
    });
  }

  byEmail(email: string): User | undefined {
    return [...this.users.values()].find((user) => user.email === email);
  }

  add(id: string, email: string, displayName = ''): User {
    const now = toTimestamp(new Date());
    const user: User = {
      id,
      email,
      displayName,
      status: UserStatus.USER_STATUS_ACTIVE,
      createdAt: now,
      updatedAt: now,
      version: 1,
    };
    this.users.set(id, user);
    return user;
  }

  /** Publishes what became of a user, as Identity does. */
  async publish(type: UserEvent, userId: string): Promise<void> {
    const events = this.service.app.get(IntegrationEvents, { strict: false });
    await this.service.app.get(Database, { strict: false }).transaction(async () => {
      events.publish(type, { key: userId, data: { user_id: userId, version: 2 } });
      await Promise.resolve();
    });
  }
}

/** Authz with one role that holds everything, bound to whom the test names, on the platform. */
export class AuthzStandIn {
  readonly administrators = new Set<string>();
  service!: RunningService;

  async start(env: Record<string, string>): Promise<void> {
    const { administrators } = this;
    const role = {
      id: '00000000-0000-7000-8000-000000000001',
      name: 'platform-admin',
      allPermissions: true,
      permissions: [],
    };

    @Controller()
    class AuthzRpc {
      @GrpcMethod('AuthzService', 'WatchChanges')
      async *watchChanges() {
        yield { change: { number: 1, role } };
        for (;;) {
          yield { heartbeat: { head: 1 } };
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }

      @GrpcMethod('AuthzService', 'ListGrants')
      listGrants({ subjectId }: { subjectId: string }) {
        const bindings = administrators.has(subjectId)
          ? [{ id: '', subjectId, roleId: role.id, scope: 'platform' }]
          : [];
        return { grants: { subjectId, number: 1, bindings } };
      }

      @GrpcMethod('AuthzService', 'RegisterPermissions')
      registerPermissions() {
        return { added: 0, stale: 0 };
      }
    }

    @Module({
      imports: [KernelModule.forService({ grpc: [authzV1] }), DiscoveryModule.forService()],
      controllers: [AuthzRpc],
    })
    class AuthzStandInModule {}
    this.service = await createService(AuthzStandInModule, { env, packageDir: packageOf('authz') });
  }
}
