/** A bell for one sleeper: rung while nobody sleeps, it is not lost but ends the next sleep at once. */
export class Wake {
  private rung = false;
  private awake: (() => void) | undefined;

  ring(): void {
    this.rung = true;
    this.awake?.();
  }

  /** Until rung, at most `ms`. */
  async sleep(ms: number): Promise<void> {
    if (!this.rung && ms > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.awake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.awake = undefined;
    }
    this.rung = false;
  }
}
