import { GrantNotHeld } from '@gatehouse/contracts-authz';
import { PermissionDenied } from '@gatehouse/contracts-platform';
import type { DecisionSubject, Scope } from '@gatehouse/guards';
import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

/** One way in which a subject holds something. */
export interface HeldRole {
  role: string;
  scope: Scope;
  permissions: string[];
  all_permissions: boolean;
  implicit: boolean;
}

/**
 * What a subject holds in a scope, read from the tables in one statement: as of the last commit, inside a transaction
 * with its own writes. A binding of the platform covers every scope.
 */
@Injectable()
export class Holdings {
  constructor(private readonly database: Database) {}

  of(subject: DecisionSubject, scope: Scope): Promise<HeldRole[]> {
    return this.database.query<HeldRole>(
      `SELECT r.name AS role, b.scope, r.permissions, r.all_permissions, false AS implicit
       FROM bindings b JOIN roles r ON r.id = b.role_id
       WHERE b.subject_id = $1 AND b.scope IN ('platform', $2)
         AND (r.organization_id IS NULL OR b.scope = 'organization:' || r.organization_id)
       UNION ALL
       SELECT name, 'platform', permissions, false, true
       FROM roles WHERE implicit AND organization_id IS NULL AND $3`,
      [subject.id, scope, subject.type === 'user'],
    );
  }

  /**
   * Nobody grants what they do not hold in that scope.
   * @throws GrantNotHeld names what is missing
   */
  async assertMayGrant(
    who: DecisionSubject,
    permissions: readonly string[],
    scope: Scope,
  ): Promise<void> {
    if (permissions.length === 0) return;
    const held = await this.of(who, scope);
    if (held.some((role) => role.all_permissions)) return;
    const names = new Set(held.flatMap((role) => role.permissions));
    const missing = permissions.filter((permission) => !names.has(permission));
    if (missing.length > 0) {
      throw new GrantNotHeld(`You do not hold ${missing.join(', ')} in scope ${scope}.`, {
        metadata: { missing: missing.join(' ') },
      });
    }
  }

  /** @throws GrantNotHeld unless the caller holds every permission there is in that scope */
  async assertHoldsAll(who: DecisionSubject, scope: Scope): Promise<void> {
    const held = await this.of(who, scope);
    if (!held.some((role) => role.all_permissions)) {
      throw new GrantNotHeld(`You do not hold every permission in scope ${scope}.`);
    }
  }

  /**
   * For what the edge cannot decide, since the scope stands in the body or the row.
   * @throws PermissionDenied
   */
  async assertHolds(who: DecisionSubject, permission: string, scope: Scope): Promise<void> {
    const held = await this.of(who, scope);
    if (!held.some((role) => role.all_permissions || role.permissions.includes(permission))) {
      throw new PermissionDenied(`This needs the permission ${permission} in scope ${scope}.`, {
        metadata: { permission },
      });
    }
  }
}
