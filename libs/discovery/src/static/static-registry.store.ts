import { isIPv6 } from 'node:net';
import { Agent } from 'undici';
import { RegistryStore, type StoredEntry } from '../registry.store.ts';
import { ENTRIES_PATH, type Entries, entriesSchema, EntryListener } from './entry.listener.ts';
import { readDirectoryFile } from './file-directory.ts';
import { type Address, PlaceResolver } from './place.resolver.ts';
import type { Place } from './places.ts';

/** An instance that takes longer has not answered. */
const ANSWER_TIMEOUT_MS = 1_000;
const MAX_ANSWER_BYTES = 256 * 1024;
const MAX_LEASE_MS = 60_000;
/** The part of a lease that an instance which does not answer any more is listed for: readers look only now and then. */
const KEPT = 0.9;

export interface StaticRegistryOptions {
  /** The service of this process: the only one it can announce. */
  service: string;
  places: ReadonlyMap<string, readonly Place[]>;
  listen: Address;
  directoryFile: string;
  /** For tests, one that asks another name server. */
  resolver?: PlaceResolver;
}

/**
 * No registry at all: who is where stands in the configuration or in DNS (a headless service of Kubernetes), and each
 * instance answers for itself with its signed entry, which is verified as everywhere.
 *
 * - Every list asks every address behind the places, and lists what they answer. One that is asked to stop says so by an
 *   empty answer; one that does not answer stays for nine tenths of what was left of its lease when it last did.
 * - A row stands under the service whose place was asked: an instance that answers there for another is refused.
 * - There are no notices: readers poll. Name servers that fail leave the last known addresses.
 * - The directory is a file, read at each poll.
 */
export class StaticRegistryStore extends RegistryStore {
  readonly engine;
  private readonly own = new Map<string, { entry: string; until: number }>();
  private readonly listener: EntryListener;
  private readonly resolver: PlaceResolver;
  private readonly agent = new Agent({
    connections: 1,
    keepAliveTimeout: 10_000,
    maxResponseSize: MAX_ANSWER_BYTES,
    connect: { timeout: ANSWER_TIMEOUT_MS },
  });
  /** By service, host and port: what was answered last, and until when each lease lasts by this process's clock. */
  private answers = new Map<string, Answered[]>();

  constructor(private readonly options: StaticRegistryOptions) {
    super();
    this.listener = new EntryListener(options.listen, () => this.entries());
    this.resolver = options.resolver ?? new PlaceResolver();
    this.engine = {
      engine: 'DNS',
      variable: 'DISCOVERY_STATIC',
      address: [...options.places.keys()].join(', '),
      refusal: staticRefusal,
    };
  }

  /** Where this process answers; 0 before the first `put`. */
  get port(): number {
    return this.listener.port;
  }

  async put(service: string, instanceId: string, entry: string, leaseMs: number): Promise<void> {
    this.check(service);
    await this.listener.open();
    this.own.set(instanceId, { entry, until: until(leaseMs) });
  }

  async renew(service: string, instanceId: string, leaseMs: number): Promise<boolean> {
    this.check(service);
    const row = this.own.get(instanceId);
    if (!row || row.until <= performance.now()) return Promise.resolve(false);
    row.until = until(leaseMs);
    return Promise.resolve(true);
  }

  async remove(service: string, instanceId: string): Promise<void> {
    this.check(service);
    this.own.delete(instanceId);
    await Promise.resolve();
  }

  async list(): Promise<StoredEntry[]> {
    const asked = await Promise.all(
      [...this.options.places].map(async ([service, places]) => {
        const addresses = await Promise.all(
          places.map((place) => this.resolver.addressesOf(place)),
        );
        return addresses.flat().map((address) => ({ service, address }));
      }),
    );
    const answers = await Promise.all(
      asked.flat().map(async ({ service, address }) => {
        const key = `${service} ${address.host} ${address.port}`;
        return [key, await this.ask(address, this.answers.get(key) ?? [], service)] as const;
      }),
    );
    this.answers = new Map(answers);
    const now = performance.now();
    return [...this.answers.values()]
      .flat()
      .filter((row) => row.until > now)
      .map(({ until: end, ...row }) => ({ ...row, remainingMs: end - now }));
  }

  /** Nobody tells of changes: they are seen by polling. */
  async watch(): Promise<() => Promise<void>> {
    return Promise.resolve(() => Promise.resolve());
  }

  async readDirectory(): Promise<string | undefined> {
    return readDirectoryFile(this.options.directoryFile).catch((error: unknown) => {
      throw new UnreadableDirectory(this.options.directoryFile, { cause: error });
    });
  }

  async close(): Promise<void> {
    this.resolver.close();
    await Promise.all([this.listener.close(), this.agent.destroy()]);
  }

  /** What an address answers now; where it does not, what is left of its last answer. */
  private async ask(
    { host, port }: Address,
    last: Answered[],
    service: string,
  ): Promise<Answered[]> {
    const askedAt = performance.now();
    try {
      const { statusCode, body } = await this.agent.request({
        origin: `http://${isIPv6(host) ? `[${host}]` : host}:${port}`,
        path: ENTRIES_PATH,
        method: 'GET',
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      const text = await body.text();
      if (statusCode !== 200) return last;
      return entriesSchema.parse(JSON.parse(text)).map(({ instanceId, entry, remainingMs }) => ({
        service,
        instanceId,
        entry,
        until: askedAt + remainingMs * KEPT,
      }));
    } catch {
      return last;
    }
  }

  private entries(): Entries {
    const now = performance.now();
    return [...this.own]
      .filter(([, row]) => row.until > now)
      .map(([instanceId, row]) => ({ instanceId, entry: row.entry, remainingMs: row.until - now }));
  }

  private check(service: string): void {
    if (service !== this.options.service)
      throw new Error(`${this.options.service} may not write instances of ${service}`);
  }
}

interface Answered {
  service: string;
  instanceId: string;
  entry: string;
  until: number;
}

class UnreadableDirectory extends Error {
  constructor(file: string, options: ErrorOptions) {
    super(`the directory ${file} cannot be read`, options);
  }
}

function until(leaseMs: number): number {
  return performance.now() + Math.min(Math.max(leaseMs, 100), MAX_LEASE_MS);
}

/** What waiting does not mend. */
function staticRefusal(error: unknown): string | undefined {
  if (error instanceof UnreadableDirectory) return 'see GATEHOUSE_DIRECTORY_FILE';
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL' || code === 'EACCES')
    return 'DISCOVERY_STATIC_LISTEN cannot be listened on';
  return undefined;
}
