import { PayloadTooLarge } from '@gatehouse/contracts-platform';
import type { IncomingMessage } from 'node:http';

/**
 * The body of a request on its way upstream: streamed, counted, never buffered. Reading begins when a connection
 * stands, so that an attempt that found none leaves it untouched for the next.
 */
export class RequestBody implements AsyncIterable<Buffer> {
  /** Whether anything was taken from the client; then nobody can send it again. */
  started = false;

  /** @param limit bytes */
  constructor(
    private readonly request: IncomingMessage,
    private readonly limit: number,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    this.started = true;
    let read = 0;
    // An upstream that answers early must not tear the client's connection down with it.
    const chunks = this.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      read += chunk.length;
      if (read > this.limit) throw new PayloadTooLarge(`At most ${this.limit} bytes`);
      yield chunk;
    }
  }
}
