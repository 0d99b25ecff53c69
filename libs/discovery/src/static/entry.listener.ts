import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { Address } from './place.resolver.ts';

export const ENTRIES_PATH = '/entries';

/** What a listener answers: the leases of its process. */
export const entriesSchema = z
  .array(
    z.object({
      instanceId: z.string().min(1).max(128),
      entry: z.string().max(8_192),
      remainingMs: z.number().min(0).max(60_000),
    }),
  )
  .max(16);
export type Entries = z.infer<typeof entriesSchema>;

/**
 * Answers `GET /entries` with what this process has announced. A listener of its own, so that neither a public port shows
 * where instances are nor an access rule is in the way; what it gives away is signed, and who asks learns no secret.
 */
export class EntryListener {
  private server?: Server;
  private opening?: Promise<void>;

  constructor(
    private readonly at: Address,
    private readonly entries: () => Entries,
  ) {}

  /** Opens it, once. @throws where the address is taken or not this machine's; a later call tries again */
  async open(): Promise<void> {
    this.opening ??= this.listen().catch((error: unknown) => {
      delete this.opening;
      throw error;
    });
    await this.opening;
  }

  /** The port listened on; 0 before it is open. */
  get port(): number {
    return (this.server?.address() as AddressInfo | null | undefined)?.port ?? 0;
  }

  async close(): Promise<void> {
    const { server } = this;
    if (!server) return;
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }

  private async listen(): Promise<void> {
    const server = createServer((request, response) => {
      if (request.url !== ENTRIES_PATH || request.method !== 'GET') {
        response.writeHead(404, { 'content-length': 0 }).end();
        return;
      }
      const body = JSON.stringify(this.entries());
      response
        .writeHead(200, {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        })
        .end(body);
    });
    server.requestTimeout = 5_000;
    server.headersTimeout = 5_000;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.at.port, this.at.host, resolve);
    });
    // It must not keep a process that has nothing else to do.
    server.unref();
    this.server = server;
  }
}
