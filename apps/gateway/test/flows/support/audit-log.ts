import { eventually } from '@gatehouse/testing';
import type { TestClient } from '@gatehouse/testing-platform';

export interface Entry {
  id: string;
  action: string;
  outcome: string;
  reason: string;
  recorded_by: string;
  actor: { type: string; id: string; session_id: string };
  target: { type: string; id: string };
  metadata: Record<string, unknown>;
  request_id: string;
  trace_id: string;
}

/** Entries that match, newest first; waits until there are `count` at least. */
export async function auditEntries(
  client: TestClient,
  filter: Record<string, string>,
  { count = 1, timeoutMs = 10_000 } = {},
): Promise<Entry[]> {
  const query = new URLSearchParams({ ...filter, page_size: '200' }).toString();
  return eventually(
    async () => {
      const { status, body } = await client.get<{ items: Entry[] }>(`/v1/audit/entries?${query}`);
      if (status !== 200) throw new Error(`the audit log answered ${status}`);
      if (body.items.length < count)
        throw new Error(`${body.items.length} of ${count} entries: ${query}`);
      return body.items;
    },
    { timeoutMs },
  );
}
