import { IntegrationEvents } from '@gatehouse/event-bus';
import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';
import type { FindOptionsWhere } from 'typeorm';

import { type BindingState, GrantChanges } from '../changes/grant-changes.ts';
import { Binding } from './binding.entity.ts';

/** The table of bindings. Whatever changes it tells the edge and the bus, in the same transaction. */
@Injectable()
export class BindingStore {
  constructor(
    private readonly database: Database,
    private readonly events: IntegrationEvents,
    private readonly changes: GrantChanges,
  ) {}

  get rows() {
    return this.database.repository(Binding);
  }

  /** Stores a binding, its role loaded. @returns false where the subject has the role in that scope already */
  async add(binding: Binding): Promise<boolean> {
    await this.lockSubjects([binding.subjectId]);
    const { id, subjectId, roleId, scope, createdAt, createdBy } = binding;
    const inserted = await this.database.query(
      `INSERT INTO bindings (id, subject_id, role_id, scope, created_at, created_by)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING 1`,
      [id, subjectId, roleId, scope, createdAt, createdBy],
    );
    if (inserted.length === 0) return false;
    this.events.publish('authz.binding.created.v1', { key: id, data: eventState(binding) });
    await this.subjectChanged(subjectId);
    return true;
  }

  /** Removes every binding of that kind. @returns how many */
  async removeWhere(where: FindOptionsWhere<Binding>): Promise<number> {
    const seen = await this.rows.findBy(where);
    await this.lockSubjects(seen.map(({ subjectId }) => subjectId));
    // Read again under the locks: another may have removed some meanwhile.
    const bindings = await this.rows.find({ where, relations: { role: true } });
    if (bindings.length === 0) return 0;
    await this.rows.delete(bindings.map(({ id }) => id));
    for (const binding of bindings) {
      this.events.publish('authz.binding.deleted.v1', {
        key: binding.id,
        data: eventState(binding),
      });
    }
    for (const subjectId of new Set(bindings.map((binding) => binding.subjectId))) {
      await this.subjectChanged(subjectId);
    }
    return bindings.length;
  }

  /** In one order, so that two who lock several do not wait for each other. */
  private async lockSubjects(ids: readonly string[]): Promise<void> {
    for (const id of [...new Set(ids)].sort()) {
      await this.database.query(
        `INSERT INTO subjects (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET version = subjects.version + 1`,
        [id],
      );
    }
  }

  private async subjectChanged(subjectId: string): Promise<void> {
    const bindings = await this.rows.find({ where: { subjectId }, relations: { role: true } });
    const states: BindingState[] = bindings.map(({ id, roleId, scope }) => ({ id, roleId, scope }));
    await this.changes.subjectChanged(subjectId, states);
    this.events.publish('authz.grants.changed.v1', {
      key: subjectId,
      data: {
        subject_id: subjectId,
        bindings: bindings.map(({ role, scope }) => ({ role: role.name, scope })),
      },
    });
  }
}

function eventState(binding: Binding) {
  return {
    binding_id: binding.id,
    subject_id: binding.subjectId,
    role_id: binding.roleId,
    role: binding.role.name,
    scope: binding.scope,
  };
}
