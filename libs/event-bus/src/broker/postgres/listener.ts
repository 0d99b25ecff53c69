import { type PostgresAddress, postgresConnection } from '@gatehouse/persistence';
import { Logger } from '@nestjs/common';
import { Client } from 'pg';

import { backoff } from '../backoff.ts';
import { Wake } from '../wake.ts';

type Heard = (payload: string) => void;

/**
 * LISTEN on a connection of its own, opened again whenever it is lost. Notices are hints: whoever listens also polls,
 * so a lost notice costs latency and a forged one a query. After a reconnect everybody is woken once, with an empty payload.
 */
export class Listener {
  private readonly logger = new Logger(Listener.name);
  private readonly channels = new Map<string, Set<Heard>>();
  private readonly stopping = new Wake();
  private client: Client | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly address: PostgresAddress,
    private readonly applicationName: string,
  ) {}

  /** Returns how to stop hearing. */
  on(channel: string, heard: Heard): () => void {
    if (!/^[a-z_]+$/.test(channel)) throw new Error(`"${channel}" is not a channel name`);
    const present = this.channels.get(channel);
    const listeners = present ?? new Set<Heard>();
    listeners.add(heard);
    this.channels.set(channel, listeners);
    if (!present) this.client?.query(`LISTEN ${channel}`).catch(() => undefined);
    this.running ??= this.run();
    return () => listeners.delete(heard);
  }

  async close(): Promise<void> {
    this.stopped = true;
    this.stopping.ring();
    await this.client?.end().catch(() => undefined);
    await this.running;
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.isStopped(); failures += 1) {
      try {
        await this.listen(() => (failures = 0));
      } catch (error) {
        if (failures === 1) this.logger.warn({ err: error }, 'LISTEN failed; polling meanwhile');
      }
      if (!this.isStopped()) await this.stopping.sleep(backoff(failures, 100, 5_000));
    }
  }

  private async listen(connected: () => void): Promise<void> {
    const client = new Client({
      ...postgresConnection(this.address),
      application_name: this.applicationName,
      keepAlive: true,
    });
    const ended = new Promise<void>((resolve) => {
      client.once('end', resolve);
      client.once('error', () => resolve());
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      client.on('notification', ({ channel, payload }) => this.tell(channel, payload ?? ''));
      this.client = client;
      for (const channel of this.channels.keys()) await client.query(`LISTEN ${channel}`);
      connected();
      for (const channel of this.channels.keys()) this.tell(channel, '');
      if (!this.isStopped()) await ended;
    } finally {
      this.client = undefined;
      await client.end().catch(() => undefined);
    }
  }

  private tell(channel: string, payload: string): void {
    for (const heard of this.channels.get(channel) ?? []) heard(payload);
  }

  private isStopped(): boolean {
    return this.stopped;
  }
}
