import { createHash } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { canonicalLeaf, type Leaf, leafHash, parseLeaf } from './leaf.ts';

const LEAF: Leaf = {
  v: 1,
  id: '01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11',
  occurred_at: '2026-11-23T06:15:00.000Z',
  recorded_at: '2026-11-23T06:15:00.001Z',
  recorded_by: 'identity',
  actor: { type: 'user', id: 'u', session_id: 's' },
  action: 'identity.user.update',
  target: { type: 'user', id: 'é€' },
  outcome: 'success',
  reason: '',
  organization_id: null,
  metadata: { b: 1e21, a: [true, '\u2028"'], '10': 0.1, '9': -0 },
  personal: {},
  request_id: 'r',
  trace_id: 't',
};

describe('a leaf', () => {
  it('is written one way, whatever order its members came in (RFC 8785)', () => {
    const { bytes } = canonicalLeaf(LEAF);
    const reversed = Object.fromEntries(Object.entries(LEAF).reverse()) as unknown as Leaf;
    expect(canonicalLeaf(reversed).bytes).toEqual(bytes);
    expect(bytes.toString('utf8')).toBe(
      '{"action":"identity.user.update","actor":{"id":"u","session_id":"s","type":"user"},' +
        '"id":"01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11",' +
        '"metadata":{"10":0.1,"9":0,"a":[true,"\u2028\\""],"b":1e+21},' +
        '"occurred_at":"2026-11-23T06:15:00.000Z","organization_id":null,"outcome":"success",' +
        '"personal":{},"reason":"","recorded_at":"2026-11-23T06:15:00.001Z","recorded_by":"identity",' +
        '"request_id":"r","target":{"id":"é€","type":"user"},"trace_id":"t","v":1}',
    );
    expect(parseLeaf(bytes)).toEqual({ ...LEAF, metadata: { ...LEAF.metadata, '9': 0 } });
  });

  it('is hashed as RFC 9162 hashes a leaf', () => {
    const empty = createHash('sha256').update(Buffer.of(0)).digest('hex');
    expect(leafHash(Buffer.alloc(0)).toString('hex')).toBe(empty);
    // RFC 9162 has no vectors; this is the one of RFC 6962's reference implementation.
    expect(empty).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
  });
});
