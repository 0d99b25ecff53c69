import { Pool } from 'undici';
import { Circuit } from './circuit.ts';
import type { Loaded } from './power-of-two.ts';
import type { UpstreamTally } from './upstream-tally.ts';

export interface UpstreamOptions {
  /** Connections to one instance. */
  connections: number;
  connectTimeoutMs: number;
}

/** One instance of a service: its connections, its load, and whether it is in rotation. */
export class UpstreamInstance implements Loaded {
  readonly pool: Pool;
  readonly circuit: Circuit;
  inFlight = 0;
  /** Since it was first seen. */
  sent = 0;

  /** @param url `http://host:port` */
  constructor(
    readonly service: string,
    readonly instanceId: string,
    readonly url: string,
    options: UpstreamOptions,
    readonly tally: UpstreamTally,
  ) {
    this.circuit = new Circuit(() => tally.ejections++);
    this.pool = new Pool(url, {
      connections: options.connections,
      connect: { timeout: options.connectTimeoutMs },
      allowH2: false,
      pipelining: 1,
      // Deadlines are the gateway's own: they span retries, and spare a request three timers.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  isAvailable(now: number): boolean {
    return this.circuit.allows(now);
  }

  onSent(): void {
    this.inFlight++;
    this.sent++;
    this.circuit.onSent();
  }

  onDone(): void {
    this.inFlight--;
  }

  /** Lets what is in flight finish. */
  close(): Promise<void> {
    return this.pool.close();
  }
}
