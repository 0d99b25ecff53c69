import {
  PermissionDenied,
  ServiceUnavailable,
  ValidationFailed,
} from '@gatehouse/contracts-platform';
import { Metrics } from '@gatehouse/kernel';
import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';

import { GuardMetrics } from '../metrics/guard-metrics.ts';
import { AuditClient, MAX_BATCH } from './audit-client.ts';
import { auditRecord } from './audit-record.ts';

const entries = (count: number) =>
  Array.from({ length: count }, (_, i) => auditRecord({ action: `a.b.c${i}` }));

/** Audit, refusing whole batches that hold an entry it finds invalid. */
function client(invalid: (action: string) => boolean, error?: Error) {
  const taken: string[] = [];
  const calls: number[] = [];
  const audit = {
    recordBatch: ({ entries: batch }: { entries: { action: string }[] }) => {
      calls.push(batch.length);
      if (error !== undefined) return Promise.reject(error);
      if (batch.some(({ action }) => invalid(action)))
        return Promise.reject(new ValidationFailed());
      taken.push(...batch.map(({ action }) => action));
      return Promise.resolve({ recorded: batch.length });
    },
  };
  return { client: new AuditClient(audit as never, new GuardMetrics(new Metrics())), taken, calls };
}

Logger.overrideLogger(false);

describe('AuditClient', () => {
  it('hands over no more at once than Audit takes', async () => {
    const { client: subject, calls } = client(() => false);
    await subject.recordAll(entries(1201));
    expect(calls).toEqual([MAX_BATCH, MAX_BATCH, 201]);
  });

  it('lets one entry that Audit refuses hold up no other', async () => {
    const { client: subject, taken } = client((action) => action === 'a.b.c77');
    await subject.recordAll(entries(200));
    expect(taken).toHaveLength(199);
    expect(taken).not.toContain('a.b.c77');
  });

  it.each([
    ['Audit is away', new ServiceUnavailable()],
    ['Audit refuses the caller', new PermissionDenied()],
    ['the connection is reset', new Error('reset')],
  ])('drops nothing where %s', async (_name, error) => {
    const { client: subject, calls } = client(() => false, error);
    await expect(subject.recordAll(entries(10))).rejects.toBe(error);
    expect(calls).toEqual([10]);
  });
});
