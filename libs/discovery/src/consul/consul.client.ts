import { Pool } from 'undici';
import { ConsulError } from './consul.error.ts';

/** Where an agent is and how to speak to it. Certificates and key are PEM. */
export interface ConsulOptions {
  /** `http://127.0.0.1:8500` */
  address: string;
  token?: string | undefined;
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}

export interface ConsulRequest {
  query?: Record<string, string>;
  /** Sent as it is where it is a string, else as JSON. */
  body?: unknown;
  /** Statuses besides 2xx that are an answer and no error. */
  allow?: readonly number[];
  /** Milliseconds until the answer must be there whole. Default 2,000. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** In the place of the client's own. */
  token?: string;
}

export interface ConsulAnswer {
  status: number;
  text: string;
  /** `X-Consul-Index`; 0 where there is none. */
  index: number;
  /** `Date` of the agent, to the second; NaN where there is none. */
  date: number;
}

const TIMEOUT_MS = 2_000;
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Consul's HTTP API over a few connections that are kept. An answer that is not there in time is an error. */
export class ConsulClient {
  private readonly pool: Pool;

  /** @param connections how many at once; an agent takes 200 from one address unless told otherwise */
  constructor(
    private readonly options: ConsulOptions,
    connections = 2,
  ) {
    const { ca, cert, key } = options;
    this.pool = new Pool(options.address, {
      connections,
      keepAliveTimeout: 30_000,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_ANSWER_BYTES,
      connect: {
        timeout: TIMEOUT_MS,
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
      },
    });
  }

  get address(): string {
    return this.options.address;
  }

  /**
   * @throws ConsulError for a status that is neither 2xx nor allowed
   * @throws what undici throws where there is no whole answer in time
   */
  async request(
    method: 'GET' | 'PUT' | 'DELETE',
    path: string,
    {
      query = {},
      body,
      allow = [],
      timeoutMs = TIMEOUT_MS,
      signal,
      ...request
    }: ConsulRequest = {},
  ): Promise<ConsulAnswer> {
    const token = request.token ?? this.options.token;
    const timeout = AbortSignal.timeout(timeoutMs);
    const answer = await this.pool.request({
      method,
      path,
      query,
      headers: token === undefined ? {} : { 'x-consul-token': token },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const text = await answer.body.text();
    const { statusCode: status } = answer;
    if ((status < 200 || status > 299) && !allow.includes(status))
      throw new ConsulError(`${method} ${path}`, status, text);
    const { 'x-consul-index': index = 0, date = '' } = answer.headers;
    return { status, text, index: Number(index), date: Date.parse(String(date)) };
  }

  /** Cuts what is still under way. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }
}
