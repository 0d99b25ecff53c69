/** What services answer; see their OpenAPI documents. */
export interface Page<T> {
  items: T[];
  next_page_token?: string | null;
}

export interface Topic {
  topic: string;
  retention_seconds: number;
  records: number;
  partitions: object[];
}

export interface Consumer {
  consumer: string;
  mode: string | null;
  topics: string[];
  members: string[];
  lag: number | null;
  dead_letters: number;
  parked_keys: number;
}

export interface OutboxChannel {
  channel: string;
  depth: number;
  oldest_age_seconds: number;
  dead_letters: number;
  parked_keys: number;
}

export interface ParkedKey {
  consumer: string;
  topic: string;
  key: string;
  since: string;
  state: string;
  attempts: number;
  due_at: string | null;
  waiting: number;
  dead_letter_id: string | null;
}

export interface DeadLetter {
  id: string;
  consumer: string;
  topic: string;
  key: string;
  event_type: string | null;
  attempts: number;
  reason: { code: string; message?: string } | null;
  failed_at: string | null;
}

/** How one kind of item is shown in a table, behind the name of its service. */
export interface View<T> {
  heads: readonly string[];
  row: (item: T) => string[];
}

export const topics: View<Topic> = {
  heads: ['TOPIC', 'PARTITIONS', 'RECORDS', 'KEPT'],
  row: ({ topic, partitions, records, retention_seconds: kept }) => [
    topic,
    String(partitions.length),
    String(records),
    `${Math.round(kept / 3600)} h`,
  ],
};

export const lag: View<Consumer> = {
  heads: ['CONSUMER', 'MODE', 'TOPICS', 'LAG', 'MEMBERS', 'PARKED', 'DEAD'],
  row: (one) => [
    one.consumer,
    one.mode ?? 'gone',
    one.topics.join(',') || '-',
    one.lag === null ? '-' : String(one.lag),
    one.mode === 'group' ? String(one.members.length) : '-',
    String(one.parked_keys),
    String(one.dead_letters),
  ],
};

export const outbox: View<OutboxChannel> = {
  heads: ['OUTBOX', 'WAITING', 'OLDEST', 'PARKED', 'DEAD'],
  row: ({ channel, depth, oldest_age_seconds: age, parked_keys: parked, dead_letters: dead }) => [
    channel,
    depth >= 10_000 ? '10000 or more' : String(depth),
    depth === 0 ? '-' : `${age.toFixed(1)} s`,
    String(parked),
    String(dead),
  ],
};

export const parkedKeys: View<ParkedKey> = {
  heads: ['CONSUMER', 'TOPIC', 'KEY', 'SINCE', 'BEHIND IT', 'NEXT', 'DEAD LETTER'],
  row: (one) => [
    one.consumer,
    one.topic,
    one.key,
    one.since,
    String(one.waiting),
    one.state === 'dead' ? 'replay or discard' : `tried again ${one.due_at ?? 'now'}`,
    one.dead_letter_id ?? '-',
  ],
};

export const deadLetters: View<DeadLetter> = {
  heads: ['ID', 'CONSUMER', 'TYPE', 'KEY', 'FAILED', 'TRIES', 'REASON'],
  row: (one) => [
    one.id,
    one.consumer,
    one.event_type ?? '(no event)',
    one.key,
    one.failed_at ?? '-',
    String(one.attempts),
    oneLine(`${one.reason?.code ?? ''} ${one.reason?.message ?? ''}`),
  ],
};

/** What came from outside is shown without its control characters, and not for ever. */
function oneLine(text: string): string {
  const clean = text.replace(/\s+/g, ' ').trim();
  return clean.length > 80 ? `${clean.slice(0, 79)}…` : clean;
}
