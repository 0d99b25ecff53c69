/** Lines that wait for their sink, first in, first out, so many bytes of them at most. */
export class LineBuffer {
  #lines: string[] = [];
  #bytes = 0;
  #dropped = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly onDrop: (lines: number) => void,
  ) {}

  get length(): number {
    return this.#lines.length;
  }

  /** Keeps the line, or drops it where there is no room: what came first tells how the trouble began. */
  push(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > this.maxBytes) {
      this.drop(1);
      return;
    }
    this.#lines.push(line);
    this.#bytes += bytes;
  }

  /** Takes the oldest out: so many bytes, or one line where that alone is more. */
  take(maxBytes: number, maxLines = Number.POSITIVE_INFINITY): string[] {
    let count = 0;
    let bytes = 0;
    for (const line of this.#lines) {
      const next = bytes + Buffer.byteLength(line);
      if (count > 0 && (next > maxBytes || count >= maxLines)) break;
      bytes = next;
      count += 1;
    }
    this.#bytes -= bytes;
    return this.#lines.splice(0, count);
  }

  /** Counts lines as lost that were taken out. */
  drop(lines: number): void {
    this.#dropped += lines;
    this.onDrop(lines);
  }

  /** How many were dropped since this was last asked. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}
