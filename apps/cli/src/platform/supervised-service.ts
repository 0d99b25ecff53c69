import { setTimeout as sleep } from 'node:timers/promises';
import { describeExit, type ServiceAddresses, type ServiceProcess } from '@gatehouse/launcher';
import { Backoff } from './backoff.ts';

export interface SupervisorEvents {
  /** A process was made: to be remembered before anything else can go wrong. */
  spawned(name: string, process: ServiceProcess): void;
  ready(name: string, addresses: ServiceAddresses, again: boolean): void;
  /** It ended by itself, and is started again in `waitMs`. */
  ended(name: string, why: string, waitMs: number): void;
}

/** A service that is kept running: started again, with back-off, whenever it ends by itself. */
export class SupervisedService {
  addresses: ServiceAddresses | undefined;
  private process: ServiceProcess | undefined;
  private readonly backoff = new Backoff();
  private wanted = false;
  private waiting = new AbortController();
  private starting: Promise<unknown> = Promise.resolve();
  private keeping: Promise<void> = Promise.resolve();

  constructor(
    readonly name: string,
    private readonly spawn: () => Promise<ServiceProcess>,
    private readonly events: SupervisorEvents,
  ) {}

  /** The first start: where that fails, the service is not kept. @throws with the end of its log */
  start(): Promise<ServiceAddresses> {
    this.wanted = true;
    const started = this.startFirst();
    this.starting = started.catch(() => undefined);
    return started;
  }

  private async startFirst(): Promise<ServiceAddresses> {
    const process = await this.launch();
    try {
      this.addresses = await process.ready();
    } catch (error) {
      this.wanted = false;
      await process.stop(5_000);
      throw error;
    }
    this.events.ready(this.name, this.addresses, false);
    this.keeping = this.keep(process);
    return this.addresses;
  }

  /** Ends it, with up to `graceMs` for what is in flight. It can be started again. */
  async stop(graceMs?: number): Promise<void> {
    this.wanted = false;
    this.waiting.abort();
    await this.process?.stop(graceMs);
    await this.starting;
    await this.keeping;
  }

  kill(): void {
    this.wanted = false;
    this.waiting.abort();
    if (this.process?.running) this.process.killGroup();
  }

  private async launch(): Promise<ServiceProcess> {
    const process = await this.spawn();
    this.process = process;
    this.events.spawned(this.name, process);
    // Asked to stop while it was being made.
    if (!this.wanted) process.signal('SIGTERM');
    return process;
  }

  private async keep(process: ServiceProcess): Promise<void> {
    this.waiting = new AbortController();
    let readySince = performance.now();
    for (;;) {
      const exit = await process.exited;
      if (!this.isWanted()) return;
      const waitMs = this.backoff.next(readySince ? performance.now() - readySince : 0);
      this.events.ended(this.name, describeExit(exit), waitMs);
      await sleep(waitMs, undefined, { signal: this.waiting.signal }).catch(() => undefined);
      if (!this.isWanted()) return;
      process = await this.launch();
      readySince = 0;
      const addresses = await process.ready().catch(() => undefined);
      if (addresses) {
        this.addresses = addresses;
        readySince = performance.now();
        this.events.ready(this.name, addresses, true);
      } else if (process.running) {
        await process.stop(5_000);
      }
    }
  }

  /** A method, because the compiler does not see that `stop` changes it across an await. */
  private isWanted(): boolean {
    return this.wanted;
  }
}
