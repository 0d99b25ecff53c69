import type { Exchange } from '../front/exchange.ts';

/** Why somebody will ask about a request. */
export type StandsOut = 'failed' | 'refused' | 'slow';

/** Refusals of a service, passed on. */
const REFUSALS = new Set([401, 403, 429]);

/** Whether a finished request is one to look at. What is a stream lasts, and is not slow for that. */
export function standsOut(
  exchange: Exchange,
  status: number,
  milliseconds: number,
  slowMs: number,
): StandsOut | undefined {
  if (status >= 500) return 'failed';
  if (exchange.refusedWith !== undefined || REFUSALS.has(status)) return 'refused';
  return milliseconds >= slowMs && status !== 101 && !exchange.isStreaming ? 'slow' : undefined;
}

/** So many in each second of the clock, and no more. */
export class PerSecond {
  private second = 0;
  private taken = 0;

  constructor(private readonly limit: number) {}

  take(): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.second) {
      this.second = second;
      this.taken = 0;
    }
    this.taken += 1;
    return this.taken <= this.limit;
  }
}
