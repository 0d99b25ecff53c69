import { randomInt } from 'node:crypto';

export interface TestClientOptions {
  /** Access token, sent as `Authorization: Bearer`. */
  token?: string;
  /** The address it comes from, as the gateway sees it; default one of its own, so that no limit is shared. */
  address?: string;
}

export interface Answer<T = Record<string, unknown>> {
  status: number;
  headers: Headers;
  /** Parsed where it is JSON, else the text; undefined where it is empty. */
  body: T;
}

/** What a REST consumer does, at the gateway's address. */
export class TestClient {
  readonly address: string;

  constructor(
    readonly url: string,
    private readonly options: TestClientOptions = {},
  ) {
    this.address = options.address ?? `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;
  }

  /** The same client with another token, or with none. */
  as(token: string | undefined): TestClient {
    return new TestClient(this.url, {
      address: this.address,
      ...(token !== undefined && { token }),
    });
  }

  /** `fetch` from this client's address, with its token. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has('x-forwarded-for')) headers.set('x-forwarded-for', this.address);
    if (this.options.token && !headers.has('authorization')) {
      headers.set('authorization', `Bearer ${this.options.token}`);
    }
    return fetch(new URL(path, this.url), { redirect: 'manual', ...init, headers });
  }

  /** `body` is sent as JSON. */
  async send<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const answer = await this.fetch(path, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const json = /[/+]json\b/.test(answer.headers.get('content-type') ?? '');
    const parsed: unknown = text === '' ? undefined : json ? JSON.parse(text) : text;
    return { status: answer.status, headers: answer.headers, body: parsed as T };
  }

  get<T = Record<string, unknown>>(path: string, headers?: Record<string, string>) {
    return this.send<T>('GET', path, undefined, headers);
  }

  post<T = Record<string, unknown>>(
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) {
    return this.send<T>('POST', path, body, headers);
  }

  put<T = Record<string, unknown>>(path: string, body: unknown, headers?: Record<string, string>) {
    return this.send<T>('PUT', path, body, headers);
  }

  patch<T = Record<string, unknown>>(
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ) {
    return this.send<T>('PATCH', path, body, headers);
  }

  delete<T = Record<string, unknown>>(path: string, headers?: Record<string, string>) {
    return this.send<T>('DELETE', path, undefined, headers);
  }
}
