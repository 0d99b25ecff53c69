import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { RegistryStore, type StoredEntry } from '../registry.store.ts';
import { ConsulClient, type ConsulOptions } from './consul.client.ts';
import { consulRefusal, NotConsul } from './consul.error.ts';
import {
  checkIdOf,
  instanceIdOf,
  NOTES_PATTERN,
  notesOf,
  readMeta,
  registrationOf,
  serviceIdOf,
  TAG,
} from './consul.registration.ts';
import { ConsulWatch, type WatchTimes } from './consul.watch.ts';

/** Where the signed directory lies; only the provisioner's token may write it. */
export const DIRECTORY_KEY = 'gatehouse/directory';

const CHECKS = '/v1/health/state/any';
/**
 * Instances whose lease holds (by the notes that `registrationOf` writes, whatever else a service says in them), and the nodes that Consul's own failure detection holds for dead: the agent of a dead
 * machine cannot say any more that a lease on it has run out.
 */
const CHECKS_FILTER = `("${TAG}" in ServiceTags and Status == "passing" and Notes matches "${NOTES_PATTERN}") or (CheckID == "serfHealth" and Status == "critical")`;
/** More instances of one service are not listed: one that floods the registry harms itself. */
const MAX_INSTANCES = 256;
/** More are not asked for by name. */
const MAX_NAMED = 8;
const PLAIN_ID = /^[A-Za-z0-9:._-]+$/;
/** An agent tells the servers at once, or up to two seconds later where one of them has just come up. */
const SYNC_TIMEOUT_MS = 5_000;

const checksSchema = z.array(
  z.object({
    Node: z.string(),
    CheckID: z.string(),
    ServiceID: z.string(),
    ServiceName: z.string(),
    Notes: z.string(),
  }),
);
type Check = z.infer<typeof checksSchema>[number];
const servicesSchema = z.array(
  z.object({
    Node: z.object({ Node: z.string() }),
    Service: z.object({ ID: z.string(), Meta: z.record(z.string(), z.string()).nullish() }),
    Checks: z.array(z.object({ CheckID: z.string(), Status: z.string(), Notes: z.string() })),
  }),
);
type Registered = z.infer<typeof servicesSchema>[number];

interface Entry {
  notes: string;
  entry: string;
  leaseMs: number;
}

/**
 * The registry in Consul: an instance is a service at its agent, its lease a TTL check, its signed entry in the meta.
 *
 * - Each process speaks to the agent of its own machine. What a process may write is what its token may.
 * - A lease is as long as `put` said, whatever `renew` says, and two seconds shorter, so that the news of its end
 *   is out in time. A machine that dies with its agent goes when Consul's failure detection says so.
 * - Consul does not tell how much of a TTL is left: `remainingMs` is the whole lease. A reader learns from the next list that
 *   a lease has run out, and what it lists is alive at that moment.
 * - A write is done when every reader can see it, since agents tell the servers only afterwards.
 */
export class ConsulRegistryStore extends RegistryStore {
  readonly engine;
  private readonly client: ConsulClient;
  private readonly watching: ConsulClient;
  private readonly watches = new Set<() => Promise<void>>();
  /** By node and service id: the entries of the last list. */
  private entries = new Map<string, Entry>();

  constructor(
    options: ConsulOptions,
    private readonly watchTimes?: WatchTimes,
  ) {
    super();
    this.client = new ConsulClient(options, 2);
    this.watching = new ConsulClient(options, 2);
    this.engine = {
      engine: 'Consul',
      variable: 'CONSUL_HTTP_ADDR',
      address: options.address,
      refusal: consulRefusal,
    };
  }

  async put(service: string, instanceId: string, entry: string, leaseMs: number): Promise<void> {
    const id = serviceIdOf(service, instanceId);
    await this.client.request('PUT', '/v1/agent/service/register', {
      query: { 'replace-existing-checks': 'true' },
      body: registrationOf(service, instanceId, entry, leaseMs),
    });
    // An agent keeps the status of a check that it had; one that had run out stays so without this.
    await this.client.request('PUT', `/v1/agent/check/pass/${encodeURIComponent(checkIdOf(id))}`);
    const notes = notesOf(entry);
    await this.synced(service, id, (found) => leaseOf(found)?.Notes === notes && holds(found));
  }

  async renew(service: string, instanceId: string): Promise<boolean> {
    const id = serviceIdOf(service, instanceId);
    if (!holds(await this.registered(service, id))) return false;
    const path = `/v1/agent/check/pass/${encodeURIComponent(checkIdOf(id))}`;
    const { status } = await this.client.request('PUT', path, { allow: [404] });
    return status !== 404;
  }

  async remove(service: string, instanceId: string): Promise<void> {
    const id = serviceIdOf(service, instanceId);
    const path = `/v1/agent/service/deregister/${encodeURIComponent(id)}`;
    const { status } = await this.client.request('PUT', path, { allow: [404] });
    if (status !== 404) await this.synced(service, id, (found) => found === undefined);
  }

  async list(): Promise<StoredEntry[]> {
    const answer = await this.client.request('GET', CHECKS, { query: { filter: CHECKS_FILTER } });
    const checks = parse(checksSchema, answer.text);
    const dead = new Set(checks.filter(isDeadNode).map((check) => check.Node));
    const leases = Map.groupBy(
      checks.filter(
        (check) => check.CheckID === checkIdOf(check.ServiceID) && !dead.has(check.Node),
      ),
      (check) => check.ServiceName,
    );
    const rows = await Promise.all(
      [...leases].map(([service, list]) => this.rowsOf(service, list.slice(0, MAX_INSTANCES))),
    );
    // Only what is listed is remembered.
    this.entries = new Map(rows.flat().map(({ key, known }) => [key, known]));
    return rows.flat().map(({ row }) => row);
  }

  /** Told by two blocking queries, of the leases and of the directory. */
  async watch(
    onChange: () => void,
    onLost: () => void = () => undefined,
  ): Promise<() => Promise<void>> {
    const followed = [
      new ConsulWatch(
        this.watching,
        CHECKS,
        { filter: CHECKS_FILTER },
        { onChange, onLost },
        this.watchTimes,
      ),
      new ConsulWatch(
        this.watching,
        `/v1/kv/${DIRECTORY_KEY}`,
        {},
        { onChange, onLost },
        this.watchTimes,
      ),
    ];
    const stop = async (): Promise<void> => {
      this.watches.delete(stop);
      await Promise.all(followed.map((watch) => watch.stop()));
    };
    this.watches.add(stop);
    try {
      await Promise.all(followed.map((watch) => watch.start()));
    } catch (error) {
      await stop();
      throw error;
    }
    return stop;
  }

  async readDirectory(): Promise<string | undefined> {
    const { status, text } = await this.client.request('GET', `/v1/kv/${DIRECTORY_KEY}`, {
      query: { raw: '' },
      allow: [404],
    });
    return status === 404 ? undefined : text;
  }

  async close(): Promise<void> {
    await Promise.all([...this.watches].map((stop) => stop()));
    await Promise.all([this.client.close(), this.watching.close()]);
  }

  /** The rows of these leases of one service; asks for entries only where one is not known yet. */
  private async rowsOf(service: string, checks: Check[]) {
    const known = new Map(checks.map((check) => [keyOf(check), this.entries.get(keyOf(check))]));
    const unknown = checks.filter((check) => known.get(keyOf(check))?.notes !== check.Notes);
    if (unknown.length > 0)
      for (const { Node, Service } of await this.instancesOf(service, filterOf(unknown))) {
        const { entry, leaseMs } = readMeta(Service.Meta ?? {});
        const key = keyOf({ Node: Node.Node, ServiceID: Service.ID });
        known.set(key, { notes: notesOf(entry), entry, leaseMs });
      }
    return checks.flatMap((check) => {
      const key = keyOf(check);
      const entry = known.get(key);
      // Gone between the two answers.
      if (!entry) return [];
      const row: StoredEntry = {
        service,
        instanceId: instanceIdOf(service, check.ServiceID),
        entry: entry.entry,
        remainingMs: entry.leaseMs,
      };
      return [{ key, known: entry, row }];
    });
  }

  private async registered(service: string, id: string): Promise<Registered | undefined> {
    const found = (await this.instancesOf(service, filterOf([{ ServiceID: id }]))).filter(
      ({ Service }) => Service.ID === id,
    );
    return found.find(holds) ?? found[0];
  }

  private async instancesOf(service: string, filter: string): Promise<Registered[]> {
    const path = `/v1/health/service/${encodeURIComponent(service)}`;
    const { text } = await this.client.request('GET', path, { query: { filter } });
    return parse(servicesSchema, text);
  }

  /** Waits until the servers know what the agent was told. @throws where they do not in time */
  private async synced(
    service: string,
    id: string,
    done: (found: Registered | undefined) => boolean,
  ): Promise<void> {
    const until = performance.now() + SYNC_TIMEOUT_MS;
    for (let pause = 5; ; pause = Math.min(pause * 2, 200)) {
      if (done(await this.registered(service, id))) return;
      if (performance.now() > until)
        throw new Error(`the agent took the change of ${id}, the servers of Consul do not show it`);
      await sleep(pause);
    }
  }
}

/** Service ids are unique at one node only. */
function keyOf({ Node, ServiceID }: Pick<Check, 'Node' | 'ServiceID'>): string {
  return `${Node}\n${ServiceID}`;
}

/** Of instances by their ids; of many, or where a stranger's id might end the expression, all of the platform's. */
function filterOf(wanted: readonly Pick<Check, 'ServiceID'>[]): string {
  if (wanted.length > MAX_NAMED || !wanted.every(({ ServiceID }) => PLAIN_ID.test(ServiceID)))
    return `"${TAG}" in Service.Tags`;
  return wanted.map(({ ServiceID }) => `Service.ID == ${JSON.stringify(ServiceID)}`).join(' or ');
}

function isDeadNode(check: Check): boolean {
  return check.CheckID === 'serfHealth';
}

function leaseOf(found: Registered | undefined) {
  return found?.Checks.find((check) => check.CheckID === checkIdOf(found.Service.ID));
}

function holds(found: Registered | undefined): boolean {
  return leaseOf(found)?.Status === 'passing';
}

/** @throws NotConsul where the text is not what Consul answers */
function parse<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new NotConsul('the answer is not what Consul gives', { cause: error });
  }
}
