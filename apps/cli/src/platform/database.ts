import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeCredential } from '@gatehouse/launcher';
import type { DataFolder } from '../data/data-folder.ts';
import { Cluster, type ClusterOptions } from '../postgres/cluster.ts';
import { Backoff } from './backoff.ts';
import { lastingPort } from './ports.ts';

export interface DatabaseEvents {
  ended(waitMs: number): void;
  again(): void;
}

const DATABASE = 'gatehouse';

/** The platform's embedded PostgreSQL: made, started, kept running, and stopped last of all. */
export class PlatformDatabase {
  private cluster: Cluster | undefined;
  private wanted = false;

  private constructor(
    private readonly options: ClusterOptions,
    /** A superuser's, for the provisioner. */
    readonly adminUrl: string,
    private readonly events: DatabaseEvents,
  ) {}

  /** @param port of the last start: used again while it is free */
  static async start(
    folder: DataFolder,
    port: number | undefined,
    events: DatabaseEvents,
    onCluster: (cluster: Cluster) => void,
  ): Promise<{ database: PlatformDatabase; port: number; version: string; first: boolean }> {
    const platform = folder.credentials('platform');
    const password = storedPassword(platform) ?? randomBytes(24).toString('base64url');
    const options = {
      dataFolder: folder.postgres(),
      logFile: folder.log('postgres'),
      password,
      port: await lastingPort(port),
    };
    // Stored first: a server whose password nobody knows would be lost.
    await writeCredential(platform, 'database-url', urlWith(options.port, password));
    const first = await Cluster.initialise(options);
    const cluster = await Cluster.start(options);
    onCluster(cluster);
    const adminUrl = await cluster.openDatabase(DATABASE);
    const database = new PlatformDatabase(options, adminUrl, events);
    database.keep(cluster);
    return { database, port: options.port, version: await cluster.version(), first };
  }

  async stop(how?: { immediate?: boolean }): Promise<void> {
    this.wanted = false;
    await this.cluster?.stop(how);
  }

  /** A server that ends by itself is started again, like any other process. */
  private keep(cluster: Cluster): void {
    this.cluster = cluster;
    this.wanted = true;
    const backoff = new Backoff();
    void (async () => {
      let since = performance.now();
      for (;;) {
        await this.cluster?.exited;
        if (!this.isWanted()) return;
        const waitMs = backoff.next(since ? performance.now() - since : 0);
        this.events.ended(waitMs);
        await sleep(waitMs);
        if (!this.isWanted()) return;
        const again = await Cluster.start(this.options).catch(() => undefined);
        since = again ? performance.now() : 0;
        if (!again) continue;
        this.cluster = again;
        if (this.isWanted()) this.events.again();
        else await again.stop();
      }
    })();
  }

  private isWanted(): boolean {
    return this.wanted;
  }
}

function storedPassword(folder: string): string | undefined {
  try {
    const url = new URL(readFileSync(join(folder, 'database-url'), 'utf8').trim());
    return decodeURIComponent(url.password) || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function urlWith(port: number, password: string): string {
  return `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${DATABASE}`;
}
