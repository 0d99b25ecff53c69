/** So many calls of one cost against one counter. */
export interface Charge {
  /** The counter's whole name in Redis. */
  readonly name: string;
  /** What one call takes, in milliseconds of the window. */
  readonly increment: number;
  /** Milliseconds. */
  readonly window: number;
  /** How many calls are wanted: as many of them are granted as fit. Below zero: so many are given back. */
  readonly calls: number;
  /** The counter is at least so full, in milliseconds until it would be whole: what a caller knows of it from elsewhere. */
  readonly atLeast: number;
}

export interface Grant {
  /** How many of the calls were granted. */
  readonly calls: number;
  /** How long until the counter would be whole again, in milliseconds. */
  readonly used: number;
}

/**
 * The clock is Redis's own: those of the callers do not matter. Milliseconds since 2026 began, because a double then keeps
 * small fractions.
 */
const REDIS_CLOCK = `
local time = redis.call('TIME')
local now = (time[1] - 1767225600) * 1000 + time[2] / 1000`;

/**
 * As `gcra.ts`, for several counters in one go: of each, `calls` in a row at one moment. A counter is one number, the
 * theoretical arrival time; it expires a second after it is whole. A number further ahead than the window was left by a
 * clock that has gone back, or by a longer window: it counts as a window.
 */
const COUNT = `
local answers = {}
for i, key in ipairs(KEYS) do
  local at = 4 * (i - 1)
  local increment, window = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local calls, at_least = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local stored = tonumber(redis.call('GET', key) or '') or 0
  local tat = math.min(math.max(stored, now + at_least), now + window)
  local fitting = math.max(0, math.floor((now + window - tat + 0.001) / increment))
  local granted = math.min(calls, fitting)
  tat = tat + granted * increment
  if granted ~= 0 or at_least > 0 or stored > now + window then
    redis.call('SET', key, string.format('%.17g', tat), 'PX', math.ceil(math.max(0, tat - now)) + 1000)
  end
  answers[2 * i - 1] = granted
  answers[2 * i] = math.floor(math.max(0, tat - now) * 1000000 + 0.5)
end
return answers`;

/** @param clock Lua that sets `now`, in milliseconds; other than Redis's own for tests alone */
export function gcraSource(clock = REDIS_CLOCK): string {
  return `${clock}\n${COUNT}`;
}

export const GCRA_SOURCE = gcraSource();

/** Four numbers a counter. */
export function argumentsOf(charges: readonly Charge[]): string[] {
  const args: string[] = [];
  for (const { increment, window, calls, atLeast } of charges) {
    args.push(String(increment), String(window), String(calls), String(atLeast));
  }
  return args;
}

/** What the script answered, in the order of the charges. @throws Error where that is something else */
export function grantsOf(answer: unknown, charges: readonly Charge[]): Grant[] {
  if (!Array.isArray(answer) || answer.length !== 2 * charges.length) {
    throw new Error(`the rate-limit script gave no two numbers a counter`);
  }
  return charges.map((_, index) => {
    const [calls, nanoseconds] = answer.slice(2 * index, 2 * index + 2) as [unknown, unknown];
    return { calls: Number(calls), used: Number(nanoseconds) / 1e6 };
  });
}
