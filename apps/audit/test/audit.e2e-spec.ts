import { createGrpcClient } from '@gatehouse/clients';
import { type AuditEntry, auditV1, Outcome } from '@gatehouse/contracts-audit';
import {
  CallerNotAllowed,
  NotAuthenticated,
  toTimestamp,
  ValidationFailed,
} from '@gatehouse/contracts-platform';
import { principalOf, type ServiceUnderTest } from '@gatehouse/guards/testing/service';
import { newId } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { EntryView } from '../src/entries/entries.schemas.ts';
import { auditMigrations } from '../src/migrations/audit.migrations.ts';
import { client, entryOf, rowsOf, startAudit } from './audit.service.ts';

interface PageOf {
  items: EntryView[];
  next_page_token: string | null;
}

describe('audit at its own ports', () => {
  let audit: ServiceUnderTest;
  const reader = principalOf();
  beforeAll(async () => {
    audit = await startAudit();
    await audit.grant(reader.id, ['audit.entry.read']);
  });
  afterAll(() => audit.stop());

  const list = async (query: string, as = reader) => {
    const { status, body } = await audit.first.call<PageOf>(`/v1/audit/entries?${query}`, { as });
    expect(status).toBe(200);
    return body;
  };

  describe('over gRPC', () => {
    it('takes who recorded from the signature of the caller, and nothing else', async () => {
      const entry = entryOf({ metadataJson: '{"recorded_by":"auth"}' });
      await client(audit, 'gateway').record({
        entry: { ...entry, recordedBy: 'auth', recorded_by: 'auth' } as AuditEntry,
      });
      const row = (await rowsOf(audit)).find(({ id }) => id === entry.id);
      expect(row).toMatchObject({ recorded_by: 'gateway' });
      expect(JSON.parse(String(row?.bytes))).toMatchObject({ recorded_by: 'gateway' });
    });

    it('lets no one record who is no service', async () => {
      const { grpcAddress = '' } = audit.first.running;
      const nobody = createGrpcClient(auditV1, { address: grpcAddress });
      try {
        await expect(nobody.record({ entry: entryOf() })).rejects.toThrow(NotAuthenticated);
      } finally {
        nobody.close();
      }
      await expect(client(audit, 'provisioner').record({ entry: entryOf() })).rejects.toThrow(
        CallerNotAllowed,
      );
    });

    it.each<[string, Partial<AuditEntry>, string]>([
      ['an id that is none', { id: '1' }, '/id'],
      ['no time', { occurredAt: undefined }, '/occurredAt'],
      ['a time no calendar has', { occurredAt: { seconds: 9e12, nanos: 0 } }, '/occurredAt'],
      ['a time before all of it', { occurredAt: toTimestamp(new Date(-1)) }, '/occurredAt'],
      ['no actor', { actor: undefined }, '/actor'],
      ['an actor of no kind', { actor: { type: 'robot', id: '', sessionId: '' } }, '/actor/type'],
      ['an action of two parts', { action: 'user.update' }, '/action'],
      ['an action that is too long', { action: `a.b.${'c'.repeat(200)}` }, '/action'],
      ['no outcome', { outcome: Outcome.OUTCOME_UNSPECIFIED }, '/outcome'],
      ['an outcome nobody knows', { outcome: JSON.parse('7') as Outcome }, '/outcome'],
      ['an organization that is none', { organizationId: 'x' }, '/organizationId'],
      ['metadata that is a list', { metadataJson: '[]' }, '/metadataJson'],
      ['metadata that is no JSON', { metadataJson: '{' }, '/metadataJson'],
      ['metadata beyond every number', { metadataJson: '{"a":1e999}' }, '/metadataJson'],
      ['metadata without end', { metadataJson: `{"a":"${'x'.repeat(17_000)}"}` }, '/metadataJson'],
      ['a NUL in what is searched', { target: { type: 'user', id: 'a\0b' } }, '/target/id'],
      [
        'one name for two values',
        {
          personal: [
            { subjectId: newId(), name: 'a', value: '1' },
            { subjectId: newId(), name: 'a', value: '2' },
          ],
        },
        '/personal',
      ],
      [
        'a value about nobody',
        { personal: [{ subjectId: '', name: 'a', value: '1' }] },
        '/personal/0/subjectId',
      ],
    ])(
      'refuses %s, says where, and appends nothing of the batch',
      async (_what, wrong, pointer) => {
        const before = (await rowsOf(audit)).length;
        const refused: unknown = await client(audit)
          .recordBatch({ entries: [entryOf(), entryOf(wrong)] })
          .catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(ValidationFailed);
        const pointers = (refused as ValidationFailed).violations.map((one) => one.pointer);
        expect(pointers).toEqual([`/entries/1${pointer}`]);
        await expect(client(audit).record({ entry: entryOf(wrong) })).rejects.toThrow(
          ValidationFailed,
        );
        expect(await rowsOf(audit)).toHaveLength(before);
      },
    );

    it('takes 500 entries at once, and no more', async () => {
      const entries = Array.from({ length: 500 }, () => entryOf());
      expect(await client(audit).recordBatch({ entries })).toEqual({ recorded: 500 });
      await expect(client(audit).recordBatch({ entries: [...entries, entryOf()] })).rejects.toThrow(
        ValidationFailed,
      );
      expect(await client(audit).recordBatch({ entries: [] })).toEqual({ recorded: 0 });
    });
  });

  describe('over HTTP', () => {
    it('shows an entry as it was sent', async () => {
      const subject = newId();
      const entry = entryOf({
        outcome: Outcome.OUTCOME_DENIED,
        reason: 'PERMISSION_DENIED',
        metadataJson: '{"members":["email"]}',
        personal: [{ subjectId: subject, name: 'email', value: 'ada@example.com' }],
      });
      const { index } = await client(audit).record({ entry });
      const { status, body } = await audit.first.call<EntryView>(`/v1/audit/entries/${entry.id}`, {
        as: reader,
      });
      expect(status).toBe(200);
      expect(body).toEqual({
        id: entry.id,
        index,
        occurred_at: body.occurred_at,
        recorded_at: body.recorded_at,
        recorded_by: 'identity',
        actor: {
          type: 'user',
          id: entry.actor?.id,
          session_id: entry.actor?.sessionId,
        },
        action: entry.action,
        target: entry.target,
        outcome: 'denied',
        reason: 'PERMISSION_DENIED',
        organization_id: null,
        metadata: { members: ['email'] },
        personal: { email: 'ada@example.com' },
        request_id: entry.requestId,
        trace_id: entry.traceId,
        leaf_hash: (await rowsOf(audit))[index]?.leaf_hash.toString('hex'),
      });
      const sent = (entry.occurredAt?.seconds ?? 0) * 1000;
      expect(Math.abs(Date.parse(body.occurred_at) - sent)).toBeLessThan(1000);
    });

    it('finds by actor, action, target, outcome, trace and time, in pages, newest first', async () => {
      const actor = { type: 'service', id: newId(), sessionId: '' };
      const target = { type: 'role', id: newId() };
      const hour = (n: number) => new Date(Date.UTC(2026, 0, 1, n));
      const traceId = newId().replaceAll('-', '');
      const entries = [0, 1, 2, 3, 4].map((n) =>
        entryOf({
          actor,
          occurredAt: toTimestamp(hour(n)),
          ...(n === 1 && { target }),
          ...(n === 2 && { outcome: Outcome.OUTCOME_FAILURE, reason: 'USER_NOT_FOUND' }),
          ...(n === 3 && { action: 'authz.role.create' }),
          ...(n >= 3 && { traceId }),
        }),
      );
      await client(audit).recordBatch({ entries });
      const ids = entries.map(({ id }) => id).reverse();
      const found: string[] = [];
      let token: string | null = null;
      do {
        const more: string = token === null ? '' : `&page_token=${token}`;
        const page: PageOf = await list(`actor=${actor.id}&page_size=2${more}`);
        found.push(...page.items.map(({ id }) => id));
        token = page.next_page_token;
      } while (token !== null);
      expect(found).toEqual(ids);

      const idsOf = async (query: string) =>
        (await list(`actor=${actor.id}&${query}`)).items.map(({ id }) =>
          entries.findIndex((entry) => entry.id === id),
        );
      expect(await idsOf(`target=${target.id}`)).toEqual([1]);
      expect(await idsOf('outcome=failure')).toEqual([2]);
      expect(await idsOf('action=authz.role.create')).toEqual([3]);
      const [from, to] = [hour(1).toISOString(), hour(3).toISOString()];
      expect(await idsOf(`from=${from}&to=${to}`)).toEqual([2, 1]);
      expect(await idsOf(`from=${from}`)).toEqual([4, 3, 2, 1]);
      expect(await idsOf('outcome=denied')).toEqual([]);
      expect(await idsOf(`trace_id=${traceId}`)).toEqual([4, 3]);

      // A log from before traces were searched for: the steps find them in what was hashed.
      const steps = auditMigrations.filter(({ name }) => /^000[345]-/.test(name));
      expect(steps).toHaveLength(3);
      await audit.sql(
        `SET search_path = audit; ALTER TABLE entries DROP COLUMN trace_id;
        ${steps.map(({ up }) => up).join('')} RESET search_path`,
      );
      expect(await idsOf(`trace_id=${traceId}`)).toEqual([4, 3]);
    });

    it("shows a token of an organization that organization's entries alone", async () => {
      const [own, other] = [newId(), newId()];
      const [mine, theirs, global] = [own, other, ''].map((organizationId) =>
        entryOf({ organizationId }),
      ) as [AuditEntry, AuditEntry, AuditEntry];
      await client(audit).recordBatch({ entries: [mine, theirs, global] });
      const tenant = principalOf({ organizationId: own });
      await audit.grant(tenant.id, ['audit.entry.read'], `organization:${own}`);
      const { items } = await list('', tenant);
      expect(items).toMatchObject([{ id: mine.id, organization_id: own }]);
      // Also one who may see everything, where the token chose the organization.
      expect((await list('', { ...reader, organizationId: own })).items).toEqual(items);
      for (const hidden of [theirs, global]) {
        expect(
          await audit.first.call(`/v1/audit/entries/${hidden.id}`, { as: tenant }),
        ).toMatchObject({ status: 404, body: { code: 'AUDIT_ENTRY_NOT_FOUND' } });
      }
    });

    it('refuses what is not well-formed', async () => {
      for (const query of [
        'outcome=maybe',
        'from=yesterday',
        'page_size=0',
        'page_token=x',
        'who=me',
        'actor=%00',
        'trace_id=0AF7651916CD43DD8448EB211C80319C',
      ]) {
        const answer = await audit.first.call(`/v1/audit/entries?${query}`, { as: reader });
        expect([query, answer.status]).toEqual([query, 400]);
      }
      expect(await audit.first.call('/v1/audit/entries/1', { as: reader })).toMatchObject({
        status: 400,
      });
    });

    it('lets nobody read without the permission, and records that they tried', async () => {
      expect(await audit.first.call('/v1/audit/entries')).toMatchObject({ status: 401 });
      const somebody = principalOf();
      expect(await audit.first.call('/v1/audit/entries', { as: somebody })).toMatchObject({
        status: 403,
      });
      // By the way of every service: outbox, relay, and gRPC to itself.
      await eventually(async () => {
        const { items } = await list(`actor=${somebody.id}`);
        expect(items).toMatchObject([
          { recorded_by: 'audit', outcome: 'denied', reason: 'PERMISSION_DENIED' },
        ]);
      });
    });
  });
});
