import { createHash } from 'node:crypto';

import { AuditEntryConflict } from '@gatehouse/contracts-audit';
import { toTimestamp } from '@gatehouse/contracts-platform';
import type { ServiceInstance, ServiceUnderTest } from '@gatehouse/guards/testing/service';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { client, entryOf, rowsOf, startAudit } from './audit.service.ts';

/** RFC 8785 once more, in the plainest way. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map(
      (name) => `${JSON.stringify(name)}:${canonical((value as Record<string, unknown>)[name])}`,
    );
  return `{${members.join(',')}}`;
}

describe('the log', () => {
  let audit: ServiceUnderTest;
  let second: ServiceInstance;
  beforeAll(async () => {
    audit = await startAudit();
    second = await audit.startInstance();
  });
  afterAll(() => audit.stop());

  const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
  /** Indexes from 0 without a gap, each id once. */
  const expectWhole = async () => {
    const rows = await rowsOf(audit);
    expect(rows.map(({ leaf_index }) => leaf_index)).toEqual(upTo(rows.length));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    return rows;
  };

  it('holds an entry once, though its batch is repeated 20 times at once', async () => {
    const entries = upTo(10).map(() => entryOf());
    const answers = await Promise.all(
      upTo(20).map((n) =>
        client(audit, 'identity', n % 2 ? second : audit.first).recordBatch({ entries }),
      ),
    );
    expect(answers.reduce((sum, { recorded }) => sum + recorded, 0)).toBe(10);
    const rows = await expectWhole();
    expect(rows.filter(({ id }) => entries.some((entry) => entry.id === id))).toHaveLength(10);
  });

  it('holds one of two alike in one batch', async () => {
    const entry = entryOf();
    expect(await client(audit).recordBatch({ entries: [entry, entry] })).toEqual({ recorded: 1 });
  });

  it('has no gap and no duplicate while two instances append at once', async () => {
    const before = (await rowsOf(audit)).length;
    await Promise.all(
      upTo(40).map((n) =>
        client(audit, 'identity', n % 2 ? second : audit.first).recordBatch({
          entries: upTo(5).map(() => entryOf()),
        }),
      ),
    );
    expect(await expectWhole()).toHaveLength(before + 200);
  });

  it('keeps the order of a batch', async () => {
    const entries = upTo(20).map(() => entryOf());
    await client(audit).recordBatch({ entries });
    const rows = await rowsOf(audit);
    expect(rows.slice(-20).map(({ id }) => id)).toEqual(entries.map(({ id }) => id));
  });

  it('answers Record with the index of the entry, and the same for a repeat', async () => {
    const entry = entryOf();
    const { index } = await client(audit).record({ entry });
    expect(await client(audit, 'identity', second).record({ entry })).toEqual({ index });
    expect((await rowsOf(audit))[index]).toMatchObject({ id: entry.id });
  });

  it('takes no other entry for one that it has', async () => {
    const entry = entryOf();
    await client(audit).record({ entry });
    const forged = { ...entry, action: 'identity.user.delete' };
    await expect(client(audit).record({ entry: forged })).rejects.toThrow(AuditEntryConflict);
    await expect(client(audit, 'gateway').record({ entry })).rejects.toThrow(AuditEntryConflict);
    const later = { ...entry, occurredAt: toTimestamp(new Date(0)) };
    const another = entryOf();
    expect(await client(audit).recordBatch({ entries: [forged, later, another] })).toEqual({
      recorded: 1,
    });
    const row = (await rowsOf(audit)).find(({ id }) => id === entry.id);
    expect(JSON.parse(String(row?.bytes))).toMatchObject({ action: entry.action });
  });

  it('hashes each leaf as SHA-256(0x00 || canonical JSON)', async () => {
    await client(audit).recordBatch({
      entries: [
        entryOf({ metadataJson: '{"z":1,"a":{"10":0.1,"9":[1e21,-0,"\\u2028é\\ud83d\\ude00"]}}' }),
        entryOf({ target: undefined, metadataJson: '', organizationId: '' }),
      ],
    });
    for (const { bytes, leaf_hash, id } of await rowsOf(audit)) {
      const leaf = JSON.parse(bytes.toString('utf8')) as { v: number; id: string };
      expect(leaf).toMatchObject({ v: 1, id });
      expect(bytes.toString('utf8')).toBe(canonical(leaf));
      expect(leaf_hash).toEqual(createHash('sha256').update('\0').update(bytes).digest());
    }
  });

  it('loses no acknowledged entry when its connections are cut while it appends', async () => {
    const acknowledged: string[] = [];
    let cut = 0;
    let appending = true;
    const appender = async (at: ServiceInstance) => {
      const sender = client(audit, 'identity', at);
      while (appending) {
        const entries = upTo(5).map(() => entryOf());
        for (;;) {
          try {
            await sender.recordBatch({ entries });
            acknowledged.push(...entries.map(({ id }) => id));
            break;
          } catch (error) {
            // Unavailable: as the relay does, the same entries again.
            expect(error).toMatchObject({ kind: 'unavailable' });
          }
        }
      }
    };
    const appenders = [audit.first, audit.first, second, second].map(appender);
    for (let round = 0; round < 12; round++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      const connections = await audit.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE usename = 'audit_app' AND datname = current_database() AND query ~* 'entries|commit|advisory'`,
      );
      cut += connections.length;
    }
    appending = false;
    await Promise.all(appenders);
    const ids = new Set((await expectWhole()).map(({ id }) => id));
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(cut).toBeGreaterThan(0);
  });
});

describe('an Audit that too many entries wait for', () => {
  it('answers 503 with a time to try again, and takes the rest', async () => {
    const audit = await startAudit({ AUDIT_MAX_WAITING: '20', AUDIT_MAX_BATCH: '10' });
    try {
      const batches = Array.from({ length: 30 }, () => Array.from({ length: 10 }, () => entryOf()));
      // Held up by somebody else's lock.
      const locked = audit.sql(
        `SELECT pg_advisory_lock(hashtextextended('audit log', 0)), pg_sleep(1),
                pg_advisory_unlock(hashtextextended('audit log', 0))`,
      );
      const sent = await Promise.allSettled(
        batches.map((entries) => client(audit).recordBatch({ entries })),
      );
      await locked;
      const refused = sent.flatMap((one) =>
        one.status === 'rejected' ? [one.reason as unknown] : [],
      );
      expect(refused.length).toBeGreaterThan(0);
      for (const error of refused) {
        expect(error).toMatchObject({
          code: 'AUDIT_SEQUENCER_UNAVAILABLE',
          kind: 'unavailable',
          retryAfterSeconds: 1,
        });
      }
      for (const entries of batches) await client(audit).recordBatch({ entries });
      expect(await rowsOf(audit)).toHaveLength(300);
    } finally {
      await audit.stop();
    }
  });
});
