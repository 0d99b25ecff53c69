import { Injectable } from '@nestjs/common';

import { type Leaf, parseLeaf } from '../log/leaf.ts';
import { openField, placeOf } from '../personal/sealed-field.ts';
import { SubjectKeys } from '../personal/subject-keys.ts';
import type { EntryView } from './entries.schemas.ts';
import type { Entry } from './entry.entity.ts';

/** Row to answer: what is shown is what was hashed, with the personal values opened. */
@Injectable()
export class EntryViews {
  constructor(private readonly keys: SubjectKeys) {}

  async of(entries: readonly Entry[]): Promise<EntryView[]> {
    const leaves = entries.map((entry) => parseLeaf(entry.bytes));
    const subjects = leaves.flatMap(({ personal }) =>
      Object.values(personal).map((field) => field.subject_id),
    );
    const keys = await this.keys.find(subjects);
    return entries.map((entry, position) => toView(entry, leaves[position] as Leaf, keys));
  }
}

function toView(entry: Entry, leaf: Leaf, keys: ReadonlyMap<string, Buffer>): EntryView {
  const { v: _version, personal, ...shown } = leaf;
  return {
    ...shown,
    actor: { ...leaf.actor, type: leaf.actor.type as EntryView['actor']['type'] },
    index: entry.leafIndex,
    personal: Object.fromEntries(
      Object.entries(personal).map(([name, { subject_id, sealed }]) => {
        const key = keys.get(subject_id);
        const open =
          key && sealed !== null ? openField(key, sealed, placeOf(leaf.id, name)) : undefined;
        return [name, open ?? null];
      }),
    ),
    leaf_hash: entry.leafHash.toString('hex'),
  };
}
