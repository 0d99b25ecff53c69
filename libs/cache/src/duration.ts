const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** `250ms`, `30s`, `5m`, `1h`. */
export type Duration = `${number}${keyof typeof UNITS}`;

/** In milliseconds. Throws for what is no positive duration. */
export function toMilliseconds(duration: Duration): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration);
  const milliseconds = match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : 0;
  if (milliseconds <= 0)
    throw new Error(`"${duration}" is no duration: write 250ms, 30s, 5m or 1h`);
  return milliseconds;
}

/**
 * Between 80 and 100 per cent of a time to live, so that what was cached together does not expire together. Never longer
 * than asked for.
 */
export function jittered(ttlMs: number): number {
  return Math.max(1, Math.round(ttlMs * (0.8 + 0.2 * Math.random())));
}
