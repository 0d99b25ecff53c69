import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createService, KernelModule, type RunningService } from '@gatehouse/kernel';
import { PersistenceModule } from '@gatehouse/persistence';
import { Module, type ModuleMetadata, type Type } from '@nestjs/common';

import { EventBusModule } from '../../event-bus.module.ts';
import { eventBusMigrations } from '../../migrations/event-bus.migrations.ts';
import { OutboxRelay } from '../../outbox/outbox-relay.ts';
import { Echoes, gammaEvents } from './echoes.ts';
import { alphaEvents, type Behaviour, BEHAVIOUR, Orders, OrdersSubscriber } from './orders.ts';

export type ServiceName = 'alpha' | 'beta' | 'gamma';

/** Everything happens fast, so that tests need not wait. */
export const QUICK = {
  GATEHOUSE_PROFILE: 'embedded',
  LOG_LEVEL: 'silent',
  SHUTDOWN_DRAIN_SECONDS: '0',
  DATABASE_POOL_SIZE: '8',
  EVENT_PARTITIONS: '4',
  EVENT_MAX_ATTEMPTS: '3',
  EVENT_RETRY_BASE_MS: '20',
  EVENT_SESSION_MS: '1500',
  EVENT_POLL_MS: '300',
  OUTBOX_LEASE_MS: '900',
};

/** `alpha` publishes orders; `beta` records them; `gamma`, which has no database, echoes them. */
export function startService(
  name: ServiceName,
  env: Record<string, string>,
  behaviour: Partial<Behaviour> = {},
): Promise<TestService> {
  const complete: Behaviour = { instance: name, seen: [], broadcast: [], ...behaviour };
  const registerAudit = (relay: OutboxRelay) => {
    if (behaviour.auditSink) relay.registerSink('audit', behaviour.auditSink);
    return relay;
  };
  const persistence = PersistenceModule.forService({
    entities: [],
    migrations: eventBusMigrations,
  });
  const known = { provide: BEHAVIOUR, useValue: complete };
  const parts: Record<ServiceName, Required<Pick<ModuleMetadata, 'imports' | 'providers'>>> = {
    alpha: {
      imports: [persistence, EventBusModule.forService({ events: [alphaEvents] })],
      providers: [Orders, { provide: 'audit', inject: [OutboxRelay], useFactory: registerAudit }],
    },
    beta: {
      imports: [persistence, EventBusModule.forService()],
      providers: [OrdersSubscriber, known],
    },
    gamma: {
      imports: [EventBusModule.withoutDatabase({ events: [gammaEvents] })],
      providers: [Echoes, known],
    },
  };
  const { imports, providers } = parts[name];
  @Module({ imports: [KernelModule.forService(), ...imports], providers })
  class TestModule {}
  return createService(TestModule, { env: { ...QUICK, ...env }, packageDir: packageOf(name) }).then(
    (service) => new TestService(service, complete),
  );
}

export class TestService {
  constructor(
    readonly service: RunningService,
    readonly behaviour: Behaviour,
  ) {}

  get<T>(type: Type<T>): T {
    return this.service.app.get(type, { strict: false });
  }

  stop(): Promise<void> {
    return this.service.stop();
  }
}

function packageOf(name: ServiceName): string {
  const folder = mkdtempSync(join(tmpdir(), `gatehouse-${name}-`));
  const json = { name, version: '1.0.0', gatehouse: { name, prefixes: [] } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(json));
  return folder;
}
