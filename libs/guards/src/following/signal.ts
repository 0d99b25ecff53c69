/** What a followed stream says: the new state of one item, or a heartbeat with the head of the change counter. */
export type Signal<Change> =
  | { change: Change }
  /** Everything numbered up to `head` has been sent before this. */
  | { head: number };

/**
 * A followed source. `watch(after, signal)` yields the state of every item numbered above `after` (0: all that is in
 * force), then changes as they are committed, and a heartbeat every 200 ms while its table can be read. It ends or
 * throws when it cannot go on; `signal` ends it from outside. Each call may be answered by another instance.
 */
export interface Watched<Change> {
  watch(after: number, signal: AbortSignal): AsyncIterable<Signal<Change>>;
}
