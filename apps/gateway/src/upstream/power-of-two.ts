/** What choosing needs to know of an instance. */
export interface Loaded {
  readonly inFlight: number;
  isAvailable(now: number): boolean;
}

/**
 * Power of two choices: of two available instances drawn at random the one with fewer requests in flight, so that a
 * slow one gets less without anybody measuring it. `not` is left out as long as there is another (a retry goes
 * elsewhere). Where none is available, any is better than an error that may be our own misjudgement; undefined only for
 * an empty list.
 *
 * @param now monotonic milliseconds
 */
export function pickOfTwo<I extends Loaded>(
  instances: readonly I[],
  now: number,
  not?: I,
  random: () => number = Math.random,
): I | undefined {
  const count = instances.length;
  if (count === 0) return undefined;
  if (count === 1) return instances[0];
  const start = Math.floor(random() * count);
  const first = nextAvailable(instances, start, now, not);
  if (first < 0) return nextOther(instances, start, not);
  const offset = 1 + Math.floor(random() * (count - 1));
  const second = nextAvailable(instances, (first + offset) % count, now, not);
  const one = instances[first] as I;
  const other = instances[second] as I;
  return other.inFlight < one.inFlight ? other : one;
}

function nextAvailable<I extends Loaded>(
  instances: readonly I[],
  start: number,
  now: number,
  not: I | undefined,
): number {
  for (let step = 0; step < instances.length; step++) {
    const index = (start + step) % instances.length;
    const instance = instances[index] as I;
    if (instance !== not && instance.isAvailable(now)) return index;
  }
  return -1;
}

function nextOther<I>(instances: readonly I[], start: number, not: I | undefined): I | undefined {
  const candidate = instances[start];
  return candidate === not ? instances[(start + 1) % instances.length] : candidate;
}
