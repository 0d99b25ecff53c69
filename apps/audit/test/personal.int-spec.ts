import { principalOf, type ServiceUnderTest } from '@gatehouse/guards/testing/service';
import { newId } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { QueryBus } from '@nestjs/cqrs';

import { GetEntry } from '../src/entries/queries/get-entry.ts';
import { client, entryOf, rowsOf, startAudit } from './audit.service.ts';

describe('what the log says about a person', () => {
  let audit: ServiceUnderTest;
  beforeAll(async () => {
    audit = await startAudit();
  });
  afterAll(() => audit.stop());

  const reader = principalOf();
  const get = (id: string) => audit.first.get(QueryBus).execute(new GetEntry(reader, id));
  const record = async (subjectId: string, value: string) => {
    const entry = entryOf({
      personal: [
        { subjectId, name: 'email', value },
        { subjectId, name: 'ip', value: '192.0.2.7' },
      ],
    });
    await client(audit).record({ entry });
    return entry.id;
  };
  const everything = async () =>
    JSON.stringify(
      await audit.sql(
        `SELECT to_jsonb(e) || jsonb_build_object('text', convert_from(bytes, 'UTF8')) AS row FROM audit.entries e
         UNION ALL SELECT to_jsonb(k) FROM audit.subject_keys k`,
      ),
    );
  /** What `POST /v1/users/{id}/erase` will do here. */
  const erase = (subjectId: string) =>
    audit.sql(
      `UPDATE audit.subject_keys SET sealed_key = NULL, destroyed_at = now() WHERE subject_id = $1`,
      [subjectId],
    );

  it('stands nowhere in the tables, and is open in answers', async () => {
    const value = `${newId()}@example.com`;
    const id = await record(newId(), value);
    const stored = await everything();
    expect(stored).toContain(id);
    expect(stored).not.toContain(value);
    expect(stored).not.toContain('192.0.2.7');
    expect((await get(id)).personal).toEqual({ email: value, ip: '192.0.2.7' });
  });

  it('is gone once the key is destroyed, and what is hashed stays as it was', async () => {
    const [subject, other] = [newId(), newId()];
    const id = await record(subject, 'ada@example.com');
    const kept = await record(other, 'grace@example.com');
    const before = await rowsOf(audit);
    await erase(subject);
    expect((await get(id)).personal).toEqual({ email: null, ip: null });
    expect((await get(kept)).personal).toMatchObject({ email: 'grace@example.com' });
    expect(await rowsOf(audit)).toEqual(before);
  });

  it('is not kept any more after that: the key is never made again', async () => {
    const subject = newId();
    await record(subject, 'ada@example.com');
    await erase(subject);
    const later = await record(subject, 'ada@example.org');
    expect((await get(later)).personal).toEqual({ email: null, ip: null });
    const keys = await audit.sql(
      'SELECT sealed_key FROM audit.subject_keys WHERE subject_id = $1',
      [subject],
    );
    expect(keys).toEqual([{ sealed_key: null }]);
    const row = (await rowsOf(audit)).find(({ id }) => id === later);
    expect(JSON.parse(String(row?.bytes))).toMatchObject({
      personal: { email: { subject_id: subject, sealed: null } },
    });
  });

  it('is under one key a person, though many entries about a new one come at once', async () => {
    const subject = newId();
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, n) => record(subject, `${n}@example.com`)),
    );
    const values = await Promise.all(ids.map(async (id) => (await get(id)).personal.email));
    expect(values).toEqual(ids.map((_, n) => `${n}@example.com`));
  });
});
