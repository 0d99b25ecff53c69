interface Waiting {
  alone: boolean;
  enter: () => void;
}

/** Lets work run side by side, or alone; first come, first served. */
export class Gate {
  private inside = 0;
  private closed = false;
  private readonly waiting: Waiting[] = [];

  async enter<T>({ alone }: { alone: boolean }, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((enter) => {
      this.waiting.push({ alone, enter });
      this.admit();
    });
    try {
      return await work();
    } finally {
      this.inside -= 1;
      this.closed = false;
      this.admit();
    }
  }

  private admit(): void {
    for (let next = this.waiting[0]; next && !this.closed; next = this.waiting[0]) {
      if (next.alone && this.inside > 0) return;
      this.waiting.shift();
      this.inside += 1;
      this.closed = next.alone;
      next.enter();
    }
  }
}
