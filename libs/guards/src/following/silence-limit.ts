/** A stream that said nothing for too long, or ended. */
export class SilentStream extends Error {}

export interface SilenceLimits {
  /** Until the first item. */
  firstMs: number;
  /** Between items. */
  nextMs: number;
}

/**
 * The items of whichever of `count` streams speaks first; the others are given up. It ends with SilentStream when
 * nothing is said for `nextMs` (`firstMs` before the first item), when the stream ends, or when `stopped` aborts. Streams
 * are then left alone without waiting for them: one that hangs cannot hold its reader.
 */
export async function* firstToSpeak<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  count: number,
  limits: SilenceLimits,
  stopped: AbortSignal,
): AsyncGenerator<T> {
  const streams = Array.from({ length: count }, () => new OpenStream(open));
  try {
    const first = await within(
      Promise.any(streams.map((stream) => stream.next())),
      limits.firstMs,
      stopped,
    );
    for (const stream of streams) if (stream !== first.stream) stream.giveUp();
    for (
      let item = first.item;
      ;
      item = (await within(first.stream.next(), limits.nextMs, stopped)).item
    ) {
      yield item;
    }
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    for (const stream of streams) stream.giveUp();
  }
}

class OpenStream<T> {
  private readonly controller = new AbortController();
  private readonly iterator: AsyncIterator<T>;

  constructor(open: (signal: AbortSignal) => AsyncIterable<T>) {
    this.iterator = open(this.controller.signal)[Symbol.asyncIterator]();
  }

  async next(): Promise<{ stream: OpenStream<T>; item: T }> {
    const result = await this.iterator.next();
    if (result.done === true) throw new SilentStream('the stream ended');
    return { stream: this, item: result.value };
  }

  giveUp(): void {
    this.controller.abort();
    this.iterator.return?.().catch(() => undefined);
  }
}

function within<T>(promise: Promise<T>, ms: number, stopped: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      stopped.removeEventListener('abort', stop);
      finish();
    };
    const stop = (): void => settle(() => reject(new SilentStream('following was stopped')));
    const timer = setTimeout(
      () => settle(() => reject(new SilentStream(`the stream said nothing for ${ms} ms`))),
      ms,
    ).unref();
    if (stopped.aborted) stop();
    stopped.addEventListener('abort', stop, { once: true });
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) =>
        settle(() => reject(error instanceof Error ? error : new Error(String(error)))),
    );
  });
}
