import { newRequestContext, requestContext } from '@gatehouse/kernel';
import { describe, expect, it } from '@jest/globals';

import type { AuditInput, AuditRecord } from './audit-entry.ts';
import { type AuditSink, BufferedAuditTrail } from './buffered-audit-trail.ts';
import { PendingAudit } from './pending-audit.ts';

class FakeSink implements AuditSink {
  readonly batches: AuditRecord[][] = [];
  away = false;
  record(entry: AuditRecord): Promise<void> {
    return this.recordAll([entry]);
  }
  recordAll(entries: readonly AuditRecord[]): Promise<void> {
    if (this.away) return Promise.reject(new Error('away'));
    this.batches.push([...entries]);
    return Promise.resolve();
  }
  get all(): AuditRecord[] {
    return this.batches.flat();
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('BufferedAuditTrail', () => {
  it('hands entries over in batches', async () => {
    const sink = new FakeSink();
    const trail = new BufferedAuditTrail(sink, { flushIntervalMs: 5 });
    for (let i = 0; i < 1200; i += 1) trail.add({ action: 'a.b.c' });
    await trail.flush();
    expect(sink.batches.map((batch) => batch.length)).toEqual([500, 500, 200]);
    expect(new Set(sink.all.map(({ id }) => id)).size).toBe(1200);
  });

  it('hands them over as work of its own, though a request has set it off', async () => {
    const seen: (string | undefined)[] = [];
    const sink = new FakeSink();
    sink.recordAll = () => {
      const { trace, principal } = requestContext.require();
      seen.push(trace.traceId, principal?.id);
      return Promise.resolve();
    };
    const trail = new BufferedAuditTrail(sink, { flushIntervalMs: 1 });
    const request = newRequestContext({ principal: { id: 'user-1' } as never });
    await requestContext.run(request, async () => {
      trail.add({ action: 'a.b.c' });
      while (trail.size > 0) await sleep(2);
    });
    expect(seen).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), undefined]);
    expect(seen[0]).not.toBe(request.trace.traceId);
  });

  it('tries again until Audit takes them, in order', async () => {
    const sink = new FakeSink();
    sink.away = true;
    const trail = new BufferedAuditTrail(sink, { flushIntervalMs: 5 });
    trail.add({ action: 'a.b.first' });
    await sleep(20);
    trail.add({ action: 'a.b.second' });
    sink.away = false;
    await sleep(200);
    expect(sink.all.map(({ action }) => action)).toEqual(['a.b.first', 'a.b.second']);
    expect(trail.size).toBe(0);
  });

  it('is bounded, and counts what it drops', async () => {
    const sink = new FakeSink();
    sink.away = true;
    let dropped = 0;
    const trail = new BufferedAuditTrail(sink, {
      capacity: 10,
      onOverflow: (count) => (dropped += count),
    });
    for (let i = 0; i < 25; i += 1) await trail.record({ action: 'a.b.c' });
    expect(trail.size).toBe(10);
    expect(dropped).toBe(15);
    await trail.flush(10);
    expect(dropped).toBe(25);
  });

  it('waits for Audit where nothing may go on without a record', async () => {
    const sink = new FakeSink();
    const trail = new BufferedAuditTrail(sink);
    await trail.recordNow({ action: 'a.b.c' });
    expect(sink.all).toHaveLength(1);
    sink.away = true;
    await expect(trail.recordNow({ action: 'a.b.c' })).rejects.toThrow('away');
  });

  it('takes what was recorded so for the entry of the call in hand, where it is of that action and went well', async () => {
    const trail = new BufferedAuditTrail(new FakeSink());
    const recordedAfter = async (...entries: AuditInput[]) => {
      const work = newRequestContext();
      const pending = new PendingAudit({ action: 'a.b.c' }, { params: {}, query: {}, body: {} });
      pending.attach(work);
      await requestContext.run(work, async () => {
        for (const entry of entries) await trail.recordNow(entry);
      });
      return pending.recorded;
    };
    expect(await recordedAfter({ action: 'a.b.other' })).toBe(false);
    expect(await recordedAfter({ action: 'a.b.c', outcome: 'failure' })).toBe(false);
    expect(await recordedAfter({ action: 'a.b.c' })).toBe(true);
  });
});

describe('an audit entry', () => {
  const record = async (
    input: Parameters<BufferedAuditTrail['recordNow']>[0],
    work = newRequestContext(),
  ) => {
    const sink = new FakeSink();
    await requestContext.run(work, () => new BufferedAuditTrail(sink).recordNow(input));
    return sink.all[0]!;
  };

  it('names the principal, the organization, the request and the trace', async () => {
    const work = newRequestContext({
      principal: {
        id: 'u1',
        type: 'user',
        sessionId: 's1',
        clientId: 'web',
        organizationId: 'o1',
        token: 'secret-token',
        expiresAt: 0,
      },
      caller: 'gateway',
    });
    const entry = await record(
      { action: 'identity.user.update', target: { type: 'user', id: 'u2' } },
      work,
    );
    expect(entry).toMatchObject({
      actor: { type: 'user', id: 'u1', sessionId: 's1' },
      organizationId: 'o1',
      requestId: work.requestId,
      traceId: work.trace.traceId,
      outcome: 'success',
      target: { type: 'user', id: 'u2' },
    });
    expect(JSON.stringify(entry)).not.toContain('secret-token');
  });

  it('names the calling service where there is no principal, and nobody where there is neither', async () => {
    const work = newRequestContext({ caller: 'auth' });
    expect((await record({ action: 'a.b.c' }, work)).actor).toEqual({
      type: 'service',
      id: 'auth',
      sessionId: '',
    });
    expect((await record({ action: 'a.b.c' })).actor.type).toBe('anonymous');
  });

  it('says so where metadata is too large or no JSON, rather than being lost', async () => {
    const large = await record({ action: 'a.b.c', metadata: { text: 'x'.repeat(20_000) } });
    expect(JSON.parse(large.metadataJson)).toMatchObject({ omitted: 'larger than 16 KiB' });
    const strange = await record({ action: 'a.b.c', metadata: { big: 1n } });
    expect(JSON.parse(strange.metadataJson)).toMatchObject({ omitted: 'a bigint is not JSON' });
  });
});
