import type { Exchange } from './exchange.ts';
import { refuse } from './answer.ts';

/**
 * One step of a request's way. It returns at once where it can: only a stage that must ask another process returns a
 * promise, so that a request which memory can decide never waits for a turn of the event loop. It throws to refuse.
 */
export type Stage = (exchange: Exchange) => void | Promise<void>;

/** Runs the stages in their order until one settles or refuses the exchange. */
export class Pipeline {
  constructor(private readonly stages: readonly Stage[]) {}

  run(exchange: Exchange, from = 0): void {
    try {
      for (let index = from; index < this.stages.length; index++) {
        const waiting = (this.stages[index] as Stage)(exchange);
        if (waiting !== undefined) {
          void this.resume(exchange, waiting, index + 1);
          return;
        }
        if (exchange.isSettled) return;
      }
    } catch (error) {
      refuse(exchange, error);
    }
  }

  private async resume(exchange: Exchange, waiting: Promise<void>, next: number): Promise<void> {
    try {
      await waiting;
    } catch (error) {
      if (!exchange.isSettled) refuse(exchange, error);
      return;
    }
    if (!exchange.isSettled) this.run(exchange, next);
  }
}
