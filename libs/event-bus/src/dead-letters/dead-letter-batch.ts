import { Injectable } from '@nestjs/common';

import { type DeadLetterFilter, DeadLetters, type ReplayOutcome } from './dead-letters.ts';
import { DeadLetterNotFound } from './errors.ts';

/** Which dead letters: these, or the oldest that fit. */
export type DeadLetterSelection =
  | { ids: readonly string[] }
  | {
      filter: DeadLetterFilter;
      /** The id of the last one of the call before. */
      after?: string;
      /** At most so many. */
      limit: number;
    };

/** `gone`: there is no such dead letter any more. `untouched`: there was no time left for it. */
export type BatchOutcome = ReplayOutcome | 'discarded' | 'gone' | 'untouched';

export interface BatchResult {
  items: { id: string; outcome: BatchOutcome }[];
  /** There are more that fit the filter, behind this one. */
  after?: string;
}

export interface BatchOptions {
  /** No further one is begun after so long. */
  withinMs: number;
  /** Runs around the work on each, for the record. */
  around?: (id: string, work: () => Promise<BatchOutcome>) => Promise<BatchOutcome>;
}

/** Replays or discards many dead letters, one after the other, each in its own transaction. */
@Injectable()
export class DeadLetterBatch {
  constructor(private readonly letters: DeadLetters) {}

  /** Each is tried once, with the id it has: what was handled meanwhile is not handled again. */
  replay(selection: DeadLetterSelection, options: BatchOptions): Promise<BatchResult> {
    return this.each(selection, options, (id) => this.letters.replay(id));
  }

  discard(selection: DeadLetterSelection, options: BatchOptions): Promise<BatchResult> {
    return this.each(selection, options, async (id) => {
      await this.letters.discard(id);
      return 'discarded';
    });
  }

  private async each(
    selection: DeadLetterSelection,
    { withinMs, around = (_id, work) => work() }: BatchOptions,
    work: (id: string) => Promise<BatchOutcome>,
  ): Promise<BatchResult> {
    const { ids, more } = await this.select(selection);
    const until = performance.now() + withinMs;
    const items: BatchResult['items'] = [];
    for (const id of ids) {
      const outcome =
        performance.now() > until
          ? 'untouched'
          : await around(id, () => work(id)).catch((error: unknown) => {
              if (error instanceof DeadLetterNotFound) return 'gone' as const;
              throw error;
            });
      items.push({ id, outcome });
    }
    if ('ids' in selection) return { items };
    const touched = items.filter(({ outcome }) => outcome !== 'untouched');
    const last = touched.at(-1)?.id ?? selection.after;
    const left = more || touched.length < items.length;
    return { items: touched, ...(left && last !== undefined && { after: last }) };
  }

  private async select(selection: DeadLetterSelection): Promise<{ ids: string[]; more: boolean }> {
    if ('ids' in selection) return { ids: [...new Set(selection.ids)], more: false };
    const { filter, after, limit } = selection;
    const found = await this.letters.list({
      ...filter,
      ...(after !== undefined && { after }),
      limit: limit + 1,
    });
    return { ids: found.slice(0, limit).map(({ id }) => id), more: found.length > limit };
  }
}
