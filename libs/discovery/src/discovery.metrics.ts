import type { Metrics } from '@gatehouse/kernel';
import type { DirectoryVerdict } from './directory.ts';
import type { Discovery } from './discovery.ts';
import type { RefusalReason } from './documents/instance.entry.ts';

const REASONS: readonly RefusalReason[] = [
  'malformed',
  'unknown-service',
  'signature',
  'expired',
  'misplaced',
  'superseded',
];

/** What discovery counts. Labels are of a bounded set: never what an unverified row says of itself. */
export class DiscoveryMetrics {
  private readonly reads;
  private readonly readSeconds;
  private readonly instances;
  private readonly rejected;
  private readonly directories;
  private readonly serial;
  private readonly registrations;
  private seenServices = new Set<string>();

  constructor(metrics: Metrics) {
    this.reads = metrics.counter('discovery_registry_reads_total', 'Reads of the registry.', {
      result: ['ok', 'failed'],
    });
    this.readSeconds = metrics.histogram(
      'discovery_registry_read_duration_seconds',
      'Time of one read of the registry, verification included.',
      [],
      [0.001, 0.005, 0.025, 0.1, 0.5, 2],
    );
    this.instances = metrics.gauge('discovery_instances', 'Verified instances known now.', [
      'upstream',
    ]);
    this.rejected = metrics.gauge(
      'discovery_rejected_entries',
      'Entries refused in the last read.',
      ['reason'],
    );
    this.directories = metrics.counter(
      'discovery_directory_reads_total',
      'Directories read, by what became of them.',
      { verdict: ['accepted', 'unchanged', 'older', 'refused'] },
    );
    this.serial = metrics.gauge(
      'discovery_directory_serial',
      'Serial of the directory in use.',
      [],
    );
    this.registrations = metrics.counter(
      'discovery_registrations_total',
      'Writes of this instance to the registry.',
      { operation: ['put', 'renew', 'remove'], result: ['ok', 'lost', 'failed'] },
    );
  }

  directoryRead(verdict: DirectoryVerdict, serial: number): void {
    this.directories.inc({ verdict });
    this.serial.set(serial);
  }

  registryRead(result: 'ok' | 'failed', milliseconds: number, discovery: Discovery): void {
    this.reads.inc({ result });
    this.readSeconds.observe(milliseconds / 1000);
    const byService = Map.groupBy(discovery.instances(), (instance) => instance.service);
    for (const service of this.seenServices)
      if (!byService.has(service)) this.instances.set({ upstream: service }, 0);
    for (const [service, list] of byService) this.instances.set({ upstream: service }, list.length);
    this.seenServices = new Set([...this.seenServices, ...byService.keys()]);
    for (const reason of REASONS) this.rejected.set({ reason }, 0);
    for (const { reason } of discovery.rejected()) this.rejected.inc({ reason });
  }

  registration(operation: 'put' | 'renew' | 'remove', result: 'ok' | 'lost' | 'failed'): void {
    this.registrations.inc({ operation, result });
  }
}
