import { fileURLToPath } from 'node:url';

import { Metrics, type ServiceInfo, Tracing } from '@gatehouse/kernel';
import type { ProvisionedDatabase } from '@gatehouse/persistence/testing';
import { type ChildProcessHandle, eventually, startProcess } from '@gatehouse/testing';
import pg from 'pg';

import type { OutgoingRecord } from '../../broker/event-broker.ts';
import { EventBusMetrics } from '../../config/event-bus.metrics.ts';
import { Outbox } from '../../outbox/outbox.ts';
import type { OutboxRelay } from '../../outbox/outbox-relay.ts';
import { EventDrafts } from '../../publish/event-drafts.ts';
import { OutboxIntegrationEvents } from '../../publish/outbox-integration-events.ts';
import { EventSpans } from '../../trace/event-spans.ts';
import { alphaEvents, type Behaviour, Orders } from './orders.ts';
import { QUICK, type ServiceName, startService, type TestService } from './test-service.ts';

/** What the suite of the whole bus runs on: a provisioned database and a real broker. */
export interface BusEngine {
  /** Services `alpha` and `beta`, with the bus's migrations, and `effectsMigration` in beta; `gamma` without a schema. */
  database: ProvisionedDatabase;
  /** How a service reaches the broker, where that is not its database. */
  env(service: ServiceName): Record<string, string>;
  /** Appends records as the service itself would, whatever is in them. */
  produce(service: ServiceName, records: OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface Effect {
  key: string;
  n: number;
  event_id: string;
  instance: string;
}

/** Instances of the two services, and a look at beta's tables. */
export class Bus {
  private readonly services = new Set<TestService>();
  private readonly children = new Set<ChildProcessHandle>();
  private readonly admin: pg.Pool;

  constructor(readonly engine: BusEngine) {
    this.admin = new pg.Pool({ connectionString: engine.database.adminUrl, max: 2 });
    this.admin.on('error', () => undefined);
  }

  async start(
    name: ServiceName,
    behaviour: Partial<Behaviour> = {},
    env: Record<string, string> = {},
  ): Promise<TestService> {
    const service = await startService(name, { ...this.envOf(name), ...env }, behaviour);
    this.services.add(service);
    return service;
  }

  async startChild(
    name: ServiceName,
    mode: string,
    env: Record<string, string> = {},
  ): Promise<ChildProcessHandle> {
    const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
    const child = await startProcess(
      process.execPath,
      ['--import', file('./typescript-loader.mjs'), '-C', '@gatehouse/source', file('./child.ts')],
      {
        env: { ...QUICK, ...this.envOf(name), ...env, SERVICE: name, MODE: mode, NODE_OPTIONS: '' },
        readyWhen: /READY/,
        readyTimeoutMs: 60_000,
      },
    );
    this.children.add(child);
    return child;
  }

  /** A writer in the service's schema that has no relay of its own; ends with the database. */
  async writer(name: 'alpha'): Promise<Orders> {
    const database = await this.engine.database.open(name);
    const metrics = new EventBusMetrics(new Metrics());
    const nobody = { wake: () => undefined } as unknown as OutboxRelay;
    const outbox = new Outbox(database, nobody);
    const service = { name } as unknown as ServiceInfo;
    const events = new OutboxIntegrationEvents(
      new EventDrafts([alphaEvents], service, metrics),
      database,
      outbox,
      metrics,
      new EventSpans(Tracing.off, 'postgresql', service.name),
    );
    return new Orders(database, events);
  }

  /** Stops what the test started. */
  async stopAll(): Promise<void> {
    for (const child of this.children) await child.kill('SIGKILL');
    await Promise.all([...this.services].map((service) => service.stop()));
    this.children.clear();
    this.services.clear();
  }

  async close(): Promise<void> {
    await this.stopAll();
    await this.admin.end();
    await this.engine.close();
  }

  async sql<R extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> {
    return (await this.admin.query<R>(text, values)).rows;
  }

  /** In the order in which they were made. */
  effects(keyPrefix: string): Promise<Effect[]> {
    return this.sql<Effect>(
      'SELECT key, n, event_id, instance FROM beta.effects WHERE starts_with(key, $1) ORDER BY id',
      [keyPrefix],
    );
  }

  async numbers(key: string): Promise<number[]> {
    return (await this.effects(key)).filter((effect) => effect.key === key).map(({ n }) => n);
  }

  /** Waits until the effects of a key are these and no others. */
  async settled(key: string, numbers: readonly number[], timeoutMs = 20_000): Promise<void> {
    await eventually(
      async () => {
        const found = await this.numbers(key);
        if (JSON.stringify(found) !== JSON.stringify(numbers)) {
          throw new Error(`${key}: ${JSON.stringify(found)} instead of ${JSON.stringify(numbers)}`);
        }
        return true;
      },
      { timeoutMs, intervalMs: 25 },
    );
  }

  async outboxIsEmpty(): Promise<void> {
    await eventually(
      async () =>
        (await this.sql(`SELECT FROM alpha.outbox WHERE channel = 'events' LIMIT 1`)).length === 0,
      { timeoutMs: 20_000, intervalMs: 25 },
    );
  }

  private envOf(name: ServiceName): Record<string, string> {
    return {
      GATEHOUSE_CREDENTIALS_DIR: this.engine.database.credentialsDir(name),
      ...this.engine.env(name),
    };
  }
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
