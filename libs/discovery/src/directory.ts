import type { KeyObject } from 'node:crypto';
import { type DirectoryService, verifyDirectory } from './documents/directory.document.ts';

/** What became of a directory that was read. Only `accepted` changes anything. */
export type DirectoryVerdict = 'accepted' | 'unchanged' | 'older' | 'refused';

/**
 * Who the services are, what each may serve, and the key each signs with: the one thing that is trusted.
 *
 * Guarantees: only a document signed by the platform's key counts; the highest serial this process has seen
 * stays, so that an old directory written back changes nothing; a service the newest one does not list is gone.
 */
export class Directory {
  private current: { serial: number; services: ReadonlyMap<string, DirectoryService> } = {
    serial: 0,
    services: new Map(),
  };
  private lastDocument?: string;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly trustAnchor: KeyObject) {}

  /** 0 until the first directory was accepted. */
  get serial(): number {
    return this.current.serial;
  }

  service(name: string): DirectoryService | undefined {
    return this.current.services.get(name);
  }

  services(): DirectoryService[] {
    return [...this.current.services.values()];
  }

  /** Calls `listener` after each accepted directory; returns the way to stop that. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Takes a document from the registry, in which anything may stand. Never throws because of what it holds. */
  async accept(document: string): Promise<DirectoryVerdict> {
    if (document === this.lastDocument) return 'unchanged';
    const content = await verifyDirectory(document, this.trustAnchor).catch(() => undefined);
    if (!content) return 'refused';
    if (content.serial < this.current.serial) return 'older';
    // Two documents of one serial: the first stays, since nothing says which is newer.
    if (content.serial === this.current.serial) return 'unchanged';
    this.current = {
      serial: content.serial,
      services: new Map(content.services.map((service) => [service.name, service])),
    };
    this.lastDocument = document;
    for (const listener of [...this.listeners]) listener();
    return 'accepted';
  }
}
