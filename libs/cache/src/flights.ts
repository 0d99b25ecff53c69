interface Flight {
  readonly promise: Promise<unknown>;
  readonly began: number;
}

/** Loads under way in this process: one at a time per key. */
export class Flights {
  readonly #flights = new Map<string, Flight>();

  /** @param longestMs a load that takes longer is left to those who wait for it; who comes next starts another */
  constructor(private readonly longestMs = 30_000) {}

  /**
   * The load under way for a key, else a new one. `start` is told how to learn whether its flight is still the key's: it is
   * not once the key was forgotten.
   */
  join<T>(
    key: string,
    start: (current: () => boolean) => Promise<T>,
  ): { flight: Promise<T>; joined: boolean } {
    const under = this.#flights.get(key);
    if (under !== undefined && performance.now() - under.began < this.longestMs) {
      return { flight: under.promise as Promise<T>, joined: true };
    }
    // Set before anything of `start` runs, so that it can ask for itself.
    const holder: { flight?: Flight } = {};
    const current = () => this.#flights.get(key) === holder.flight;
    const promise = Promise.resolve()
      .then(() => start(current))
      .finally(() => {
        if (current()) this.#flights.delete(key);
      });
    holder.flight = { promise, began: performance.now() };
    this.#flights.set(key, holder.flight);
    return { flight: promise, joined: false };
  }

  /** The key changed: who asks from now on does not wait for a load that began before. */
  forget(key: string): void {
    this.#flights.delete(key);
  }

  get size(): number {
    return this.#flights.size;
  }
}
