/** More than this many, and the whole store is cleared instead. */
const MOST = 10_000;

/**
 * Keys that changed while the store has not taken the change yet. Each change has an identity of its own, so that an older
 * one that succeeds late does not settle a newer one.
 */
export class UnsettledKeys {
  readonly #changes = new Map<string, symbol>();
  #overflown = false;

  constructor(private readonly onSize: (size: number) => void = () => undefined) {}

  begin(key: string): symbol {
    const change = Symbol(key);
    if (this.#changes.size >= MOST && !this.#changes.has(key)) {
      this.#overflown = true;
      this.#changes.clear();
    }
    this.#changes.set(key, change);
    this.onSize(this.#changes.size);
    return change;
  }

  settle(key: string, change: symbol): void {
    if (this.#changes.get(key) !== change) return;
    this.#changes.delete(key);
    this.onSize(this.#changes.size);
  }

  has(key: string): boolean {
    return this.#overflown || this.#changes.has(key);
  }

  get size(): number {
    return this.#overflown ? Math.max(1, this.#changes.size) : this.#changes.size;
  }

  /** Too many to know each: every key counts as changed. */
  get overflown(): boolean {
    return this.#overflown;
  }

  snapshot(): [key: string, change: symbol][] {
    return [...this.#changes];
  }

  /** The store was cleared after `before` was taken. */
  settleOverflow(before: [key: string, change: symbol][]): void {
    this.#overflown = false;
    for (const [key, change] of before) this.settle(key, change);
  }
}
