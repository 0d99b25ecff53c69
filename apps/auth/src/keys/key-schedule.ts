/** The part of a key that says when it signs. */
export interface Scheduled {
  signsFrom: Date;
}

/** The key that signs at an instant: the last whose time has come. Keys are in the order of `signsFrom`. */
export function signingAt<K extends Scheduled>(keys: readonly K[], now: number): K | undefined {
  return keys.findLast(({ signsFrom }) => signsFrom.getTime() <= now);
}

/**
 * The keys to publish at an instant: those to come, the one that signs, and those before it until the last token they
 * signed has expired.
 * @param tokenMs how long after its successor took over a token of a key can still be good, clocks included
 */
export function publishedAt<K extends Scheduled>(
  keys: readonly K[],
  now: number,
  tokenMs: number,
): K[] {
  return keys.filter((_key, index) => {
    const successor = keys[index + 1];
    return successor === undefined || successor.signsFrom.getTime() + tokenMs > now;
  });
}
