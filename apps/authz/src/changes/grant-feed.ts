import {
  type GrantChange,
  GrantSource,
  type RoleState,
  type Signal,
  type SubjectGrants,
} from '@gatehouse/guards';
import { type Change, ChangeFeed, Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { type BindingState, ROLE } from './grant-changes.ts';

/**
 * Roles and grants as followers get them, straight from the tables: behind `WatchChanges` and `ListGrants`, and Authz's
 * own decisions.
 */
@Injectable()
export class GrantFeed extends GrantSource {
  constructor(
    private readonly database: Database,
    private readonly feed: ChangeFeed,
  ) {
    super();
  }

  override async *watch(after: number, signal: AbortSignal): AsyncGenerator<Signal<GrantChange>> {
    let from = after;
    if (after === 0) {
      const { number, roles } = await this.roles();
      for (const role of roles) yield { change: { number, role } };
      from = number;
    }
    for await (const { changes, head } of this.feed.tail(from, { signal })) {
      for (const change of changes) yield { change: toChange(change) };
      yield { head };
    }
  }

  /** Every role, with the number of the last change that the same snapshot holds. */
  async roles(): Promise<{ number: number; roles: RoleState[] }> {
    const rows = await this.database.query<{ number: number; role: RoleRow | null }>(
      `SELECT c.number, to_jsonb(r) AS role FROM change_counter c LEFT JOIN roles r ON true`,
    );
    const roles = rows.flatMap(({ role }) => (role === null ? [] : [fromRow(role)]));
    return { number: rows[0]?.number ?? 0, roles };
  }

  override async grantsOf(
    subjectId: string,
  ): Promise<SubjectGrants & { bindings: BindingState[] }> {
    const rows = await this.database.query<{
      number: number;
      id: string | null;
      roleId: string;
      scope: string;
    }>(
      `SELECT c.number, b.id, b.role_id AS "roleId", b.scope
       FROM change_counter c LEFT JOIN bindings b ON b.subject_id = $1`,
      [subjectId],
    );
    const bindings = rows.flatMap(({ id, roleId, scope }) =>
      id === null ? [] : [{ id, roleId, scope }],
    );
    return { subjectId, bindings, number: rows[0]?.number ?? 0 };
  }
}

interface RoleRow {
  id: string;
  name: string;
  organization_id: string | null;
  permissions: string[];
  all_permissions: boolean;
  implicit: boolean;
}

function fromRow(row: RoleRow): RoleState {
  return {
    id: row.id,
    name: row.name,
    ...(row.organization_id === null ? {} : { organizationId: row.organization_id }),
    permissions: row.permissions,
    allPermissions: row.all_permissions,
    implicit: row.implicit,
    deleted: false,
  };
}

function toChange({ kind, id, number, state }: Change): GrantChange {
  return kind === ROLE
    ? { number, role: state as unknown as RoleState }
    : {
        number,
        subject: {
          subjectId: id,
          number,
          bindings: (state as unknown as { bindings: BindingState[] }).bindings,
        },
      };
}
