import { z } from 'zod';

export const DEFAULT_PAGE_SIZE = 25;
export const MAX_PAGE_SIZE = 200;

/** The query parameters of every list: `z.strictObject({ ...PageQuery, status: ... })`. */
export const PageQuery = {
  page_size: z
    .preprocess(fromDigits, z.int().min(1).max(MAX_PAGE_SIZE))
    .default(DEFAULT_PAGE_SIZE)
    .describe(`How many items a page holds at most; ${DEFAULT_PAGE_SIZE} where it is not said`),
  page_token: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe('`next_page_token` of the page before, of the same query'),
};

/** Digits alone: `Number` would take ' ', '0x10' and '1e2' for numbers too. */
function fromDigits(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
}

/** The answer of a list. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next_page_token: z.string().nullable().describe('Null on the last page'),
  });
}
