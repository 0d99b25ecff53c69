/** Where lines go; the label of `log_lines_dropped_total`. */
export type SinkName = 'stdout' | 'file' | 'otlp';

/**
 * One place that log lines go to. What it holds back is bounded: a place that is slow or gone costs the process that much
 * memory and nothing else.
 */
export interface LogSink {
  readonly name: SinkName;
  /** Takes a line with its line break. Returns at once and never throws; a line there is no room for is dropped, and told. */
  write(line: string): void;
  /** Hands over all it holds; resolves when that is done. */
  flush(): Promise<void>;
  /** The last that can be done in a process that ends: hands over what it can, blocking for `limitMs` at most. */
  flushSync(limitMs: number): void;
}

/** What a sink tells of itself. */
export interface SinkObserver {
  /** Lines that there was no room for. */
  dropped(sink: SinkName, lines: number): void;
  /** It does not take lines just now, and why; told once until it does again. */
  failing(sink: SinkName, error: unknown): void;
  /** It takes lines again. `dropped`: how many are missing. */
  recovered(sink: SinkName, dropped: number): void;
}
