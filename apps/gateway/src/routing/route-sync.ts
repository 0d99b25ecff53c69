import type { Manifest } from '@gatehouse/contracts-platform';
import type { Directory, Discovery, ServiceInstance } from '@gatehouse/discovery';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { Allotment } from './version-builder.ts';
import type { ServedService } from './route-table.ts';
import { RouteTable } from './route-table.ts';
import type { ServiceVersion } from './service-version.ts';

const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 2_000;

/** A manifest that could not be had. */
export interface ManifestFailure {
  service: string;
  digest: string;
  instanceId: string;
  reason: string;
  failures: number;
}

export interface RouteSyncOptions {
  directory: Pick<Directory, 'services' | 'onChange'>;
  discovery: Pick<Discovery, 'instances' | 'watch'>;
  upstreams: Upstreams;
  fetchManifest: (instance: ServiceInstance) => Promise<Manifest>;
  build: (manifest: Manifest, digest: string, allotted: Allotment) => ServiceVersion;
  onFailure?: (failure: ManifestFailure) => void;
}

/**
 * Keeps the route table what directory and registry say. A change of either is looked at once; a manifest that is not
 * known yet is read from an instance that signed its digest, and tried again until it is had or the instance is gone.
 * The table is swapped whole. A service the directory drops loses its routes at once; one whose instances are all gone
 * keeps them, so that clients are told 503 and not 404 while it restarts. So they are by a gateway that has just started,
 * until it has asked every instance that it found once.
 */
export class RouteSync {
  /** What requests are matched against now. */
  table = new RouteTable([], false);
  private readonly manifests = new Map<string, Manifest>();
  private readonly versions = new Map<string, ServiceVersion>();
  private readonly fetching = new Set<string>();
  private readonly failed = new Map<string, ManifestFailure>();
  private readonly ends: (() => void)[] = [];
  private isRunning = false;

  constructor(private readonly options: RouteSyncOptions) {}

  start(): void {
    this.isRunning = true;
    this.ends.push(
      this.options.directory.onChange(() => this.refresh()),
      this.options.discovery.watch(() => this.refresh()),
    );
    this.refresh();
  }

  stop(): void {
    this.isRunning = false;
    for (const end of this.ends.splice(0)) end();
  }

  /** Manifests that cannot be had at the moment. */
  failures(): ManifestFailure[] {
    return [...this.failed.values()];
  }

  /** Looks at directory and registry now. */
  refresh(): void {
    const services = this.options.directory.services();
    // A service without prefixes (the gateway itself is one) has nothing to serve.
    const routed = new Set(
      services.filter(({ prefixes }) => prefixes.length > 0).map(({ name }) => name),
    );
    const instances = this.options.discovery
      .instances()
      .filter(isServing)
      .filter(({ service }) => routed.has(service));
    this.forget(instances);
    for (const instance of instances) {
      if (!this.manifests.has(keyOf(instance))) void this.fetch(instance);
    }
    this.options.upstreams.keepOnly(instances);
    this.table = new RouteTable(
      services
        .filter(({ name }) => routed.has(name))
        .map((allotted) => this.served(allotted, instances)),
      this.table.isComplete || instances.every((instance) => this.hasBeenAsked(instance)),
    );
  }

  private hasBeenAsked(instance: ServingInstance): boolean {
    return this.manifests.has(keyOf(instance)) || this.failed.has(attemptOf(instance));
  }

  private served(allotted: Allotment, instances: readonly ServingInstance[]): ServedService {
    const { name, prefixes } = allotted;
    const live = new Map<string, ServingInstance[]>();
    for (const instance of instances) {
      if (instance.service !== name || !this.manifests.has(keyOf(instance))) continue;
      const same = live.get(instance.manifestDigest);
      if (same === undefined) live.set(instance.manifestDigest, [instance]);
      else same.push(instance);
    }
    const before = this.table.services.find((service) => service.name === name);
    if (live.size === 0) {
      const last = before?.versions.at(-1);
      const keeps = last !== undefined && before?.prefixes.join() === prefixes.join();
      if (keeps) last.instances = [];
      return { name, prefixes, versions: keeps ? [last] : [] };
    }
    const versions = [...live].map(([digest, members]) => {
      const version = this.version(allotted, digest);
      version.instances = members.map((member) => this.options.upstreams.of(member));
      return version;
    });
    return { name, prefixes, versions };
  }

  private version(allotted: Allotment, digest: string): ServiceVersion {
    // What a manifest may serve depends on the directory too.
    const key = `${allotted.name}@${digest}@${allotted.prefixes.join()}`;
    let version = this.versions.get(key);
    if (version === undefined) {
      const manifest = this.manifests.get(`${allotted.name}@${digest}`) as Manifest;
      version = this.options.build(manifest, digest, allotted);
      this.versions.set(key, version);
    }
    return version;
  }

  private async fetch(instance: ServingInstance): Promise<void> {
    const key = keyOf(instance);
    // One at a time from each instance; a second instance may have what the first withholds.
    const attempt = attemptOf(instance);
    if (this.fetching.has(attempt)) return;
    this.fetching.add(attempt);
    try {
      const manifest = await this.options.fetchManifest(instance);
      this.manifests.set(key, manifest);
      this.failed.delete(attempt);
      this.fetching.delete(attempt);
      if (this.isRunning) this.refresh();
    } catch (error) {
      this.retryLater(instance, attempt, error);
    }
  }

  private retryLater(instance: ServingInstance, attempt: string, error: unknown): void {
    const failures = (this.failed.get(attempt)?.failures ?? 0) + 1;
    const failure = {
      service: instance.service,
      digest: instance.manifestDigest,
      instanceId: instance.instanceId,
      reason: error instanceof Error ? error.message : String(error),
      failures,
    };
    this.failed.set(attempt, failure);
    this.options.onFailure?.(failure);
    const pause = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS);
    setTimeout(() => {
      this.fetching.delete(attempt);
      if (this.isRunning) this.refresh();
    }, pause).unref();
  }

  /** Drops what belongs to no live instance, so that memory follows the platform and not its history. */
  private forget(instances: readonly ServingInstance[]): void {
    const live = new Set(instances.map(keyOf));
    for (const key of this.manifests.keys()) if (!live.has(key)) this.manifests.delete(key);
    for (const [key, version] of this.versions) {
      if (!live.has(`${version.service}@${version.digest}`)) this.versions.delete(key);
    }
    const attempts = new Set(instances.map(attemptOf));
    for (const key of this.failed.keys()) if (!attempts.has(key)) this.failed.delete(key);
  }
}

type ServingInstance = ServiceInstance & { httpUrl: string; manifestDigest: string };

function isServing(instance: ServiceInstance): instance is ServingInstance {
  return instance.httpUrl !== undefined && instance.manifestDigest !== undefined;
}

function keyOf(instance: { service: string; manifestDigest: string }): string {
  return `${instance.service}@${instance.manifestDigest}`;
}

function attemptOf(instance: ServingInstance): string {
  return `${keyOf(instance)}@${instance.instanceId}`;
}
