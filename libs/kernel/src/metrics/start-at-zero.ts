import type { Counter } from 'prom-client';

/**
 * Shows a counter at 0 for every combination of these label values, so that a panel or an alert about it is not empty
 * because nothing has happened yet. `{ cache: ['users'], result: ['hit', 'miss'] }` shows two series.
 */
export function startAtZero<L extends string>(
  counter: Counter<L>,
  values: Readonly<Record<L, readonly string[]>>,
): void {
  let combinations: Partial<Record<L, string>>[] = [{}];
  for (const [label, known] of Object.entries(values) as [L, readonly string[]][]) {
    combinations = combinations.flatMap((one) =>
      known.map((value) => ({ ...one, [label]: value })),
    );
  }
  for (const labels of combinations) counter.inc(labels as Record<L, string>, 0);
}
