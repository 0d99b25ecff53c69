import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../commands/context.ts';

/** Exit codes of `gatehouse events`; 0 is: everything that was asked for. */
export const EXIT = {
  /** The command could not be carried out. */
  failed: 1,
  /** Some services did not answer, or some dead letters were not handled. */
  partly: 2,
  /** No valid token. */
  notLoggedIn: 3,
  /** The token's holder lacks a permission. */
  forbidden: 4,
} as const;

/** A service, or the gateway in its place, answered something else than was asked for. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const TIMEOUT_MS = 60_000;
const WAIT_AT_MOST_SECONDS = 60;

interface Problem {
  title?: string;
  detail?: string;
  code?: string;
  errors?: { pointer?: string; detail?: string }[];
}

/** Calls through the gateway, with one access token. */
export class Gateway {
  constructor(
    readonly url: string,
    private readonly token?: string,
  ) {}

  get<T>(path: string, query: Record<string, string | undefined> = {}): Promise<T> {
    const search = new URLSearchParams(
      Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    return this.call<T>('GET', search.size === 0 ? path : `${path}?${search.toString()}`);
  }

  post<T>(path: string, body?: object): Promise<T> {
    return this.call<T>('POST', path, body);
  }

  put<T>(path: string, body: object): Promise<T> {
    return this.call<T>('PUT', path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.call<T>('DELETE', path);
  }

  /**
   * Told to wait by a rate limit, it waits and asks again.
   * @throws CommandError where the gateway does not answer
   * @throws Refused
   */
  private async call<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await this.send(method, path, body);
    const wait = Number(answer.headers.get('retry-after') ?? 0);
    if (answer.status === 429 && wait > 0 && wait <= WAIT_AT_MOST_SECONDS) {
      await answer.body?.cancel();
      await sleep(wait * 1000);
      return this.call(method, path, body);
    }
    const text = await answer.text();
    if (!answer.ok) throw new Refused(answer.status, reasonOf(text));
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  private async send(method: string, path: string, body?: object): Promise<Response> {
    try {
      return await fetch(new URL(path, this.url), {
        method,
        headers: {
          accept: 'application/json',
          ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } };
      throw new CommandError(
        `the gateway does not answer at ${this.url} (${cause?.code ?? (error as Error).message}): is the platform running? --gateway <url> names another address`,
      );
    }
  }
}

function reasonOf(text: string): string {
  try {
    const { title, detail, code, errors = [] } = JSON.parse(text) as Problem;
    const wrong = errors.map((one) => `${one.pointer ?? ''} ${one.detail ?? ''}`.trim());
    const what = [detail ?? title, ...wrong].filter((part) => part !== undefined && part !== '');
    return `${what.join('; ')}${code === undefined ? '' : ` (${code})`}`;
  } catch {
    return text.slice(0, 200);
  }
}
