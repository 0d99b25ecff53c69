import type { Gateway } from './gateway.ts';
import type { Page } from './views.ts';

/** Which dead letters, as the services' REST asks for them. */
export interface Filter {
  consumer?: string;
  type?: string;
  reason?: string;
  failed_from?: string;
  failed_before?: string;
}

export interface Outcome {
  id: string;
  outcome: string;
}

export type Work = 'replay' | 'discard';

/** At most so many ids a call. */
const BATCH = 100;

/** Every dead letter that fits, page after page; each once, whatever becomes of it. */
export async function workOnFilter(
  gateway: Gateway,
  service: string,
  work: Work,
  filter: Filter,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let token: string | null | undefined;
  do {
    const page: Page<Outcome> = await gateway.post(`/v1/${service}/dead-letters/${work}`, {
      filter,
      ...(token && { page_token: token }),
    });
    outcomes.push(...page.items);
    token = page.next_page_token;
  } while (token);
  return outcomes;
}

/** These; what a call had no time for is asked for again. */
export async function workOnIds(
  gateway: Gateway,
  service: string,
  work: Work,
  ids: readonly string[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let left = [...ids];
  while (left.length > 0) {
    const asked = left.slice(0, BATCH);
    const { items } = await gateway.post<Page<Outcome>>(`/v1/${service}/dead-letters/${work}`, {
      ids: asked,
    });
    const untouched = items.filter(({ outcome }) => outcome === 'untouched').map(({ id }) => id);
    outcomes.push(...items.filter(({ outcome }) => outcome !== 'untouched'));
    left = [...untouched, ...left.slice(BATCH)];
  }
  return outcomes;
}
