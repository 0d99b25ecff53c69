/** A terminal signals its whole foreground group and npm passes the signal on: both are one wish to stop. */
const SAME_WISH_MS = 1_000;

/**
 * SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal was closed): the first calls `first`, a later one `second`.
 */
export function onStopSignals(
  first: (signal: NodeJS.Signals) => void,
  second: (signal: NodeJS.Signals) => void,
  now: () => number = () => performance.now(),
): void {
  let firstAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (firstAt === undefined) {
        firstAt = now();
        first(signal);
      } else if (now() - firstAt > SAME_WISH_MS) {
        second(signal);
      }
    });
  }
}
