import { z } from 'zod';

/** A variable that is a number from `min` to `max`; `fallback` where it is not set. */
export function envNumber(fallback: number, min: number, max: number) {
  return z.coerce
    .number()
    .min(min)
    .max(max)
    .default(fallback)
    .meta({ example: String(fallback) });
}

/** A variable that is a whole number from `min` to `max`; `fallback` where it is not set. */
export function envInteger(fallback: number, min: number, max: number) {
  return z.coerce
    .number()
    .int()
    .min(min)
    .max(max)
    .default(fallback)
    .meta({ example: String(fallback) });
}
