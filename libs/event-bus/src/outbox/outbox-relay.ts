import { ServiceInfo } from '@gatehouse/kernel';
import { Injectable, Logger } from '@nestjs/common';

import { backoff } from '../broker/backoff.ts';
import { Listener } from '../broker/postgres/listener.ts';
import { Wake } from '../broker/wake.ts';
import { EventBusConfig } from '../config/event-bus.config.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import { OUTBOX_PARTITIONS } from './outbox-partition.ts';
import { OUTBOX_NOTICE, OutboxStore } from './outbox.store.ts';
import { RefusedRows } from './refused-rows.ts';
import { type OutboxSink, RelayLane } from './relay-lane.ts';

/** Others are told of committed rows at most so often. */
const NOTICE_EVERY_MS = 10;

/**
 * Sends what transactions left in the outbox. Each partition of each channel has one sender among the service's
 * instances: whoever holds its lease, which another instance takes when it runs out. Woken by the commit (here, or by a
 * notice from the instance that committed); looks by itself besides.
 */
@Injectable()
export class OutboxRelay {
  private readonly logger = new Logger(OutboxRelay.name);
  private readonly sinks = new Map<string, OutboxSink>();
  private readonly lanes = new Map<string, RelayLane>();
  private readonly wakeLoop = new Wake();
  private running: Promise<void> | undefined;
  private deafen: (() => void) | undefined;
  private notice: NodeJS.Timeout | undefined;
  private stopping = false;

  constructor(
    private readonly store: OutboxStore,
    private readonly refusedRows: RefusedRows,
    private readonly config: EventBusConfig,
    private readonly service: ServiceInfo,
    private readonly metrics: EventBusMetrics,
    private readonly listener: Listener,
  ) {}

  /** Where the rows of a channel go; one sink a channel, registered before the relay starts. */
  registerSink(channel: string, sink: OutboxSink): void {
    if (this.running) throw new Error(`The relay runs already: too late for channel "${channel}"`);
    if (this.sinks.has(channel)) throw new Error(`Channel "${channel}" has a sink already`);
    this.sinks.set(channel, sink);
  }

  async start(): Promise<void> {
    for (const [channel, sink] of this.sinks) {
      await this.store.prepare(channel);
      this.metrics.knowChannel(channel);
      for (let partition = 0; partition < OUTBOX_PARTITIONS; partition += 1) {
        const lane = new RelayLane(channel, partition, this.store, sink, this.refusedRows, {
          batchSize: this.config.OUTBOX_BATCH_SIZE,
          relayed: (rows) => this.metrics.sent(channel, rows),
          refused: () => this.metrics.relayRefusals.inc({ channel }),
          failed: () => this.metrics.relayFailures.inc({ channel }),
        });
        lane.start();
        this.lanes.set(`${channel}/${partition}`, lane);
      }
    }
    this.deafen = this.listener.on(OUTBOX_NOTICE, (payload) => {
      if (payload === '' || payload === this.service.name) this.ringHeld();
    });
    await this.lease();
    this.running = this.run();
  }

  get channels(): string[] {
    return [...this.sinks.keys()];
  }

  /** Where the rows of a channel go; undefined: nothing of this version of the service sends them. */
  sinkOf(channel: string): OutboxSink | undefined {
    return this.sinks.get(channel);
  }

  /** Rows were committed. */
  wake(channel: string, partition: number): void {
    const lane = this.lanes.get(`${channel}/${partition}`);
    if (lane?.held) lane.ring();
    else this.tellOthers();
  }

  /** Sends what is there, for a bounded time, then leaves the partitions to others. */
  async stop(): Promise<void> {
    if (!this.running || this.stopping) return;
    await this.flush();
    this.stopping = true;
    this.wakeLoop.ring();
    this.deafen?.();
    clearTimeout(this.notice);
    await Promise.all([this.running, ...[...this.lanes.values()].map((lane) => lane.stop())]);
    await this.store.release(this.service.instanceId).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'The leases of the outbox were not released');
    });
  }

  private async flush(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.config.OUTBOX_FLUSH_MS);
    });
    await Promise.race([
      timeout,
      Promise.all([...this.lanes.values()].map((lane) => lane.drained())),
    ]);
    clearTimeout(timer);
  }

  private async run(): Promise<void> {
    const interval = Math.min(this.config.EVENT_POLL_MS, this.config.OUTBOX_LEASE_MS / 3);
    let failures = 0;
    while (!this.isStopping()) {
      await this.wakeLoop.sleep(failures === 0 ? interval : backoff(failures - 1, 100, interval));
      if (this.isStopping()) return;
      try {
        await this.lease();
        failures = 0;
      } catch (error) {
        if (failures === 0) this.logger.warn({ err: error }, 'The outbox cannot be read');
        failures += 1;
      }
    }
  }

  private async lease(): Promise<void> {
    const asked = performance.now();
    const { OUTBOX_LEASE_MS } = this.config;
    const held = await this.store.lease(
      this.service.instanceId,
      [...this.sinks.keys()],
      OUTBOX_LEASE_MS,
    );
    const lanes = new Set(this.lanes.values());
    for (const { channel, partition, pending } of held) {
      const lane = this.lanes.get(`${channel}/${partition}`);
      if (!lane) continue;
      lanes.delete(lane);
      lane.hold(asked + OUTBOX_LEASE_MS);
      if (pending) lane.ring();
    }
    for (const lane of lanes) lane.hold(0);
  }

  private ringHeld(): void {
    for (const lane of this.lanes.values()) if (lane.held) lane.ring();
  }

  private tellOthers(): void {
    if (this.stopping) return;
    this.notice ??= setTimeout(() => {
      this.notice = undefined;
      this.store.notifyOthers(this.service.name).catch(() => undefined);
    }, NOTICE_EVERY_MS);
  }

  private isStopping(): boolean {
    return this.stopping;
  }
}
