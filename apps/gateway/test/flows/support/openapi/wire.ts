import { Agent, request } from 'node:http';

export interface WireAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
}

/** What goes on the wire as it is: `fetch` would mend the path and refuse some headers. */
export interface WireRequest {
  method: string;
  target: string;
  headers: Readonly<Record<string, string>>;
  body?: Buffer | undefined;
  chunked?: boolean | undefined;
}

/** Connections to one server, a bounded number of them. */
export class Wire {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 16 });
  private readonly url: URL;

  constructor(url: string) {
    this.url = new URL(url);
  }

  /** @throws where there is no answer */
  send({ method, target, headers, body, chunked }: WireRequest): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      const framing = chunked
        ? { 'transfer-encoding': 'chunked' }
        : body !== undefined && { 'content-length': String(body.length) };
      const call = request({
        agent: this.agent,
        host: this.url.hostname,
        port: this.url.port,
        method,
        path: target,
        headers: { ...headers, ...framing },
        timeout: 30_000,
      });
      let answered = false;
      call.on('timeout', () => call.destroy(new Error('no answer within 30 s')));
      // A server that has answered may stop reading what was too long.
      call.on('error', (error) => {
        if (!answered) reject(error);
      });
      call.on('response', (response) => {
        answered = true;
        const chunks: Buffer[] = [];
        const finish = () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          });
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', finish).on('error', finish);
      });
      call.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
