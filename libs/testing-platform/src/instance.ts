import { readFileSync } from 'node:fs';
import { type Exit, type ServiceAddresses, ServiceProcess } from '@gatehouse/launcher';

export interface InstanceOptions {
  name: string;
  mainFile: string;
  logFile: string;
  env: Record<string, string>;
}

/** One process of a service; may be killed and started again. */
export class Instance {
  private addresses: ServiceAddresses | undefined;
  private process: ServiceProcess | undefined;

  constructor(private readonly options: InstanceOptions) {}

  async start(): Promise<this> {
    const started = await ServiceProcess.spawn(this.options);
    this.process = started;
    this.addresses = await started.ready();
    return this;
  }

  get pid(): number {
    return this.current.pid;
  }

  get running(): boolean {
    return this.process?.running ?? false;
  }

  get httpUrl(): string {
    return this.known.httpUrl;
  }

  get adminUrl(): string {
    return this.known.adminUrl;
  }

  /** @throws where the service serves no gRPC */
  get grpcAddress(): string {
    const { grpcAddress } = this.known;
    if (grpcAddress === undefined) throw new Error(`${this.options.name} serves no gRPC`);
    return grpcAddress;
  }

  /** Everything it has written. */
  get log(): string {
    return readFileSync(this.options.logFile, 'utf8');
  }

  /** Waits for the end, except after SIGSTOP and SIGCONT. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit | undefined> {
    this.current.signal(signal);
    return signal === 'SIGSTOP' || signal === 'SIGCONT' ? undefined : this.current.exited;
  }

  /** SIGTERM, wait, start. Addresses change. */
  async restart(): Promise<void> {
    await this.process?.stop();
    await this.start();
  }

  /** At once, with everything it has started. */
  discard(): void {
    if (this.process?.running) this.process.killGroup();
  }

  private get current(): ServiceProcess {
    if (!this.process) throw new Error(`${this.options.name} was not started`);
    return this.process;
  }

  private get known(): ServiceAddresses {
    if (!this.addresses) throw new Error(`${this.options.name} was not started`);
    return this.addresses;
  }
}
