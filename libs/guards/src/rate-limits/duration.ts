const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `10s`, `1m`, `2h` or `1d` in seconds. @throws RangeError for anything else */
export function secondsOf(duration: string): number {
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(duration) ?? [];
  if (count === undefined || unit === undefined) {
    throw new RangeError(`"${duration}" is not a duration like 10s, 1m, 2h or 1d`);
  }
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}
