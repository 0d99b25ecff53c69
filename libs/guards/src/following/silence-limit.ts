/** A stream that said nothing for too long. */
export class SilentStream extends Error {}

/**
 * The items of a stream, until it says nothing for `nextMs` (`firstMs` before its first item) or `signal` aborts. The
 * stream is then left alone without waiting for it: one that hangs cannot hold its reader.
 * @throws SilentStream
 */
export async function* withSilenceLimit<T>(
  stream: AsyncIterable<T>,
  limits: { firstMs: number; nextMs: number },
  signal: AbortSignal,
): AsyncGenerator<T> {
  const iterator = stream[Symbol.asyncIterator]();
  try {
    for (let limit = limits.firstMs; ; limit = limits.nextMs) {
      const item = await within(iterator.next(), limit, signal);
      if (item.done === true) return;
      yield item.value;
    }
  } finally {
    iterator.return?.().catch(() => undefined);
  }
}

function within<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => settle(() => reject(new SilentStream('the stream was given up')));
    const timer = setTimeout(
      () => settle(() => reject(new SilentStream(`the stream said nothing for ${ms} ms`))),
      ms,
    ).unref();
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      finish();
    };
    signal.addEventListener('abort', abort, { once: true });
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) =>
        settle(() => reject(error instanceof Error ? error : new Error(String(error)))),
    );
  });
}
