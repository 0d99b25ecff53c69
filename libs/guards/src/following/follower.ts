import { ServiceUnavailable } from '@gatehouse/contracts-platform';

import type { Signal, Watched } from './signal.ts';
import { firstToSpeak } from './silence-limit.ts';

/** Where changes are applied. */
export interface FollowedState<Change> {
  apply(change: Change): void;
  /** A heartbeat: everything numbered up to `head` has been applied, nothing older can arrive any more. */
  settled(head: number): void;
  /** Forget everything: what comes next is a whole snapshot. */
  reset(): void;
}

export interface FollowerOptions {
  /** What is followed, for messages. */
  name: string;
  /** How old the last heartbeat may be before answers are refused, in milliseconds; default 10 minutes (an access token's lifetime). */
  maxStalenessMs?: number;
  /** A stream that says nothing for so long is given up and another instance asked; default 600 ms (three heartbeats). */
  silenceMs?: number;
  /** The same for the first word of a new stream; default 1000 ms. */
  openMs?: number;
  /** Called when a stream ended; the follower goes on by itself. */
  onError?: (error: unknown) => void;
}

const RETRY_MS = [0, 50, 100, 200, 400, 800];

/**
 * Follows a source of changes and keeps a state current, for ever: a stream that ends, fails or falls silent is opened
 * again, at once the first time and at two instances, from the last heartbeat on. The whole is asked for anew where history went backwards
 * (a database was restored) or nothing was heard for longer than the staleness bound, since the source may have
 * forgotten by then what was missed.
 */
export class Follower<Change> {
  private head = 0;
  private complete = false;
  private lastHeartbeat = Number.NEGATIVE_INFINITY;
  private controller: AbortController | undefined;
  private waiting: (() => void)[] = [];
  private readonly maxStalenessMs: number;

  constructor(
    private readonly source: Watched<Change>,
    private readonly state: FollowedState<Change>,
    private readonly options: FollowerOptions,
  ) {
    this.maxStalenessMs = options.maxStalenessMs ?? 600_000;
  }

  start(): void {
    if (this.controller !== undefined) return;
    this.controller = new AbortController();
    void this.run(this.controller.signal);
  }

  stop(): void {
    this.controller?.abort();
    this.controller = undefined;
  }

  /** Milliseconds since the last heartbeat; Infinity before the first. */
  get staleness(): number {
    return performance.now() - this.lastHeartbeat;
  }

  /** The number of the last heartbeat: everything up to it has been applied. */
  get revision(): number {
    return this.head;
  }

  ready(): boolean {
    return this.complete && this.staleness <= this.maxStalenessMs;
  }

  /** Resolves once a snapshot has been read whole. */
  whenReady(): Promise<void> {
    if (this.ready()) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** @throws ServiceUnavailable before the first snapshot, and when it has grown too old */
  assertReady(): void {
    if (this.ready()) return;
    throw new ServiceUnavailable(`The ${this.options.name} are not current.`, {
      retryAfterSeconds: 1,
    });
  }

  private async run(stopped: AbortSignal): Promise<void> {
    const stopping = (): boolean => stopped.aborted;
    let failures = 0;
    let streams = 1;
    while (!stopping()) {
      const before = this.lastHeartbeat;
      try {
        await this.follow(streams, stopped);
      } catch (error) {
        if (!stopping()) this.options.onError?.(error);
      }
      // The balancer may lead back to the instance that fell silent: of two at once, one goes elsewhere.
      streams = 2;
      failures = this.lastHeartbeat > before ? 0 : failures + 1;
      await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0, stopped);
    }
  }

  /** Never returns: a stream that ends is an error too. */
  private async follow(streams: number, stopped: AbortSignal): Promise<void> {
    if (this.staleness > this.maxStalenessMs) this.reset();
    const after = this.head;
    const open = (signal: AbortSignal) => this.source.watch(after, signal);
    const { openMs: firstMs = 1000, silenceMs: nextMs = 600 } = this.options;
    for await (const signal of firstToSpeak(open, streams, { firstMs, nextMs }, stopped)) {
      this.take(signal);
    }
  }

  private take(signal: Signal<Change>): void {
    if ('change' in signal) {
      this.state.apply(signal.change);
      return;
    }
    if (signal.head < this.head) {
      const message = `the head went back from ${this.head} to ${signal.head}: asking for everything anew`;
      this.reset();
      throw new Error(message);
    }
    this.head = signal.head;
    this.complete = true;
    this.lastHeartbeat = performance.now();
    this.state.settled(signal.head);
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private reset(): void {
    this.head = 0;
    this.complete = false;
    this.lastHeartbeat = Number.NEGATIVE_INFINITY;
    this.state.reset();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    signal.addEventListener('abort', end, { once: true });
  });
}
