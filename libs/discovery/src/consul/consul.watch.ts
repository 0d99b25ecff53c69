import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsulAnswer, ConsulClient } from './consul.client.ts';

/** Milliseconds; other values than these are for tests. */
export interface WatchTimes {
  /** How long a query may wait for news; Consul adds up to a sixteenth to it. */
  wait: number;
  /** What an answer may be late beyond that. */
  late: number;
  /** Between an answer and the next query, so that a busy Consul is not asked without a pause. */
  pause: number;
  firstRetry: number;
  longestRetry: number;
}

const TIMES: WatchTimes = {
  wait: 30_000,
  late: 5_000,
  pause: 200,
  firstRetry: 250,
  longestRetry: 5_000,
};

/**
 * Follows one path of Consul by blocking queries, by their rules: the index sent is at least 1, an index that goes
 * backwards starts again at 0, a query is bounded in time, answers and errors are followed by a pause with jitter, errors
 * by an ever longer one.
 */
export class ConsulWatch {
  private readonly abort = new AbortController();
  private index = 0;
  private seen?: string;
  private running?: Promise<void>;

  constructor(
    private readonly client: ConsulClient,
    private readonly path: string,
    private readonly query: Record<string, string>,
    private readonly tell: {
      /** The answer differs from the last, or may have done so in between. */
      onChange: () => void;
      /** Consul was out of reach, or is not the one it was. */
      onLost: () => void;
    },
    private readonly times: WatchTimes = TIMES,
  ) {}

  /** Asks once, and goes on in the background. @throws where that first answer cannot be had */
  async start(): Promise<void> {
    this.take(await this.ask());
    this.running = this.follow();
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.running;
  }

  private async follow(): Promise<void> {
    const { signal } = this.abort;
    let failures = 0;
    for (;;) {
      const { firstRetry, longestRetry, pause } = this.times;
      const rest =
        failures === 0 ? pause : Math.min(firstRetry * 2 ** (failures - 1), longestRetry);
      await sleep(rest * (0.5 + Math.random()), undefined, { signal, ref: false }).catch(
        () => undefined,
      );
      if (this.stopped()) return;
      try {
        const answer = await this.ask();
        if (this.stopped()) return;
        // Whatever happened while it was away was not heard.
        if (this.take(answer) || failures > 0) this.tell.onChange();
        failures = 0;
      } catch {
        if (this.stopped()) return;
        if (failures++ === 0) this.tell.onLost();
        // Whoever answers next may have another history, whose index may be below ours for long.
        this.index = 0;
      }
    }
  }

  private stopped(): boolean {
    return this.abort.signal.aborted;
  }

  private ask(): Promise<ConsulAnswer> {
    const { wait, late } = this.times;
    const blocking = this.index > 0;
    return this.client.request('GET', this.path, {
      query: {
        ...this.query,
        ...(blocking && { index: String(this.index), wait: `${wait}ms` }),
      },
      allow: [404],
      ...(blocking && { timeoutMs: Math.ceil(wait * (1 + 1 / 16)) + late }),
      signal: this.abort.signal,
    });
  }

  /** @returns whether the answer says something new */
  private take({ text, index }: ConsulAnswer): boolean {
    const backwards = index < this.index;
    this.index = backwards ? 0 : Math.max(index, 1);
    if (backwards) this.tell.onLost();
    const changed = backwards || (this.seen !== undefined && text !== this.seen);
    this.seen = text;
    return changed;
  }
}
