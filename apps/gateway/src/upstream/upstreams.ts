import type { UpstreamOptions } from './upstream-instance.ts';
import { UpstreamInstance } from './upstream-instance.ts';
import { UpstreamTally } from './upstream-tally.ts';

/** What tells one instance at one address from every other. */
export interface UpstreamKey {
  readonly service: string;
  readonly instanceId: string;
  readonly httpUrl: string;
}

/** The instances there are, each with the connections and the history it keeps while routes change around it. */
export class Upstreams {
  private readonly known = new Map<string, UpstreamInstance>();
  /** By service. */
  readonly tallies = new Map<string, UpstreamTally>();

  constructor(private readonly options: UpstreamOptions) {}

  get connectionsPerInstance(): number {
    return this.options.connections;
  }

  of(key: UpstreamKey): UpstreamInstance {
    const name = nameOf(key);
    let instance = this.known.get(name);
    if (instance === undefined) {
      const { service, instanceId, httpUrl } = key;
      const tally = this.tallies.get(service) ?? new UpstreamTally();
      this.tallies.set(service, tally);
      instance = new UpstreamInstance(service, instanceId, httpUrl, this.options, tally);
      this.known.set(name, instance);
    }
    return instance;
  }

  all(): UpstreamInstance[] {
    return [...this.known.values()];
  }

  /** Lets those go that are not listed any more; what they are answering now they may finish. */
  keepOnly(keys: readonly UpstreamKey[]): void {
    const listed = new Set(keys.map(nameOf));
    for (const [name, instance] of this.known) {
      if (listed.has(name)) continue;
      this.known.delete(name);
      void instance.close();
    }
  }

  async close(): Promise<void> {
    const all = this.all();
    this.known.clear();
    await Promise.all(all.map((instance) => instance.pool.destroy()));
  }
}

function nameOf({ service, instanceId, httpUrl }: UpstreamKey): string {
  return `${service} ${instanceId} ${httpUrl}`;
}
