import { createHash } from 'node:crypto';

import { canonicalJson } from '@gatehouse/kernel';

import type { SealedField } from '../personal/sealed-field.ts';

/**
 * What is hashed of an entry, and thereby proven: version 1 of the format. Members are added with a new version, never
 * changed. Times are RFC 3339 with milliseconds in UTC. Values about a person are sealed before they get here.
 */
export interface Leaf {
  v: 1;
  id: string;
  occurred_at: string;
  recorded_at: string;
  /** The service that sent it, by its own signature. */
  recorded_by: string;
  actor: { type: string; id: string; session_id: string };
  action: string;
  target: { type: string; id: string };
  outcome: Outcome;
  reason: string;
  organization_id: string | null;
  metadata: Record<string, unknown>;
  personal: Record<string, SealedField>;
  request_id: string;
  trace_id: string;
}

export type Outcome = 'success' | 'failure' | 'denied';

/** A leaf with the bytes that are hashed. */
export interface CanonicalLeaf {
  readonly leaf: Leaf;
  readonly bytes: Buffer;
}

/** @throws for what has no canonical form: the caller's alone to hear, before others' entries share a commit with it */
export function canonicalLeaf(leaf: Leaf): CanonicalLeaf {
  return { leaf, bytes: leafBytes(leaf) };
}

/** The canonical JSON of a leaf (RFC 8785), in UTF-8. */
function leafBytes(leaf: Leaf): Buffer {
  return Buffer.from(canonicalJson(leaf), 'utf8');
}

/** SHA-256(0x00 || bytes), RFC 9162, 2.1.1. */
export function leafHash(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(Buffer.of(0)).update(bytes).digest();
}

export function parseLeaf(bytes: Buffer): Leaf {
  return JSON.parse(bytes.toString('utf8')) as Leaf;
}
