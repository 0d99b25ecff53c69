import { describe, expect, it } from '@jest/globals';

import { auditRecord } from './audit-record.ts';

describe('the entry of an action', () => {
  const ofTarget = (id: string) =>
    auditRecord({ action: 'orders.order.read', target: { type: 'order', id } }).target;

  it('names its target as far as Audit takes it, so that nobody gets out of the log by a long path', () => {
    expect(ofTarget('x'.repeat(500)).id).toHaveLength(500);
    expect(ofTarget('x'.repeat(10_000)).id).toBe('x'.repeat(500));
    expect(ofTarget('a\0b').id).toBe('a\ufffdb');
    // A pair that the cut goes through.
    expect(ofTarget(`${'x'.repeat(499)}😀`).id).toBe(`${'x'.repeat(499)}\ufffd`);
  });

  it('says what it left out where metadata is too large', () => {
    const { metadataJson } = auditRecord({
      action: 'orders.order.read',
      metadata: { text: 'x'.repeat(20_000) },
    });
    expect(JSON.parse(metadataJson)).toMatchObject({ omitted: 'larger than 16 KiB' });
  });
});
