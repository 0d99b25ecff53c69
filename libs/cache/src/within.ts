/**
 * The promise, or a rejection once it has taken too long. An answer that has come in while this process was busy counts as
 * in time.
 */
export function within<T>(
  promise: Promise<T>,
  ms: number,
  tooLate: (ms: number) => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let grace: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      // Timers run before sockets are read: after a long block the answer may be there already. Twice, because the first
      // immediate comes when the socket is read, and the second when that has settled the promise.
      grace = setImmediate(() => {
        grace = setImmediate(() => reject(tooLate(ms)));
      });
    }, ms);
    promise
      .finally(() => {
        clearTimeout(timer);
        clearImmediate(grace);
      })
      .then(resolve, reject);
  });
}
