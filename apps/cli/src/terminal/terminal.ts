import { styleText } from 'node:util';

/** What a person watching the start sees: a line for what is done, and on a terminal one for what is being done. */
export class Terminal {
  private readonly running = new Map<symbol, string>();
  private readonly live: boolean;

  constructor(private readonly out: NodeJS.WriteStream = process.stdout) {
    this.live = out.isTTY && process.env.TERM !== 'dumb';
    // The terminal was closed: there is still a platform to stop.
    out.on('error', () => undefined);
  }

  /** Shows `doing` while `work` runs, then `done` with the time it took. */
  async step<T>(
    doing: string,
    done: string | ((result: T) => string),
    work: () => Promise<T>,
  ): Promise<T> {
    const key = Symbol(doing);
    const began = performance.now();
    this.running.set(key, doing);
    this.refresh();
    try {
      const result = await work();
      const text = typeof done === 'string' ? done : done(result);
      this.running.delete(key);
      this.line(
        `  ${this.green('✓')} ${text.padEnd(52)} ${this.dim(seconds(performance.now() - began))}`,
      );
      return result;
    } finally {
      this.running.delete(key);
      this.refresh();
    }
  }

  line(text = ''): void {
    this.out.write(this.live ? `\r\x1b[K${text}\n` : `${text}\n`);
    this.refresh();
  }

  note(text: string): void {
    this.line(`  ${this.yellow('!')} ${text}`);
  }

  bold(text: string): string {
    return this.live ? styleText('bold', text) : text;
  }

  dim(text: string): string {
    return this.live ? styleText('dim', text) : text;
  }

  private green(text: string): string {
    return this.live ? styleText('green', text) : text;
  }

  private yellow(text: string): string {
    return this.live ? styleText('yellow', text) : text;
  }

  private refresh(): void {
    if (!this.live) return;
    const text = [...this.running.values()].join(', ');
    const width = Math.max(20, this.out.columns - 5);
    this.out.write(text ? `\r\x1b[K  ${this.dim(`… ${text}`.slice(0, width))}` : '\r\x1b[K');
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
