import type { DecisionSubject } from './decision.ts';
import type { GrantedRole, RoleState } from './grant.source.ts';
import { organizationScope, PLATFORM_SCOPE } from './scope.ts';

interface HeldRole {
  number: number;
  role: RoleState;
  permissions: ReadonlySet<string>;
}

/** The roles with their permissions, and what bindings to them allow. */
export class RoleBook {
  private readonly roles = new Map<string, HeldRole>();
  /** Kept apart, because every decision about a user looks at them. */
  private implicit: HeldRole[] = [];

  get size(): number {
    return this.roles.size;
  }

  apply(number: number, role: RoleState): void {
    const held = this.roles.get(role.id);
    if (held !== undefined && held.number >= number) return;
    // A deleted role stays, empty, until nothing older can arrive.
    this.roles.set(role.id, {
      number,
      role,
      permissions: new Set(role.deleted ? [] : role.permissions),
    });
    this.findImplicit();
  }

  /** Nothing numbered up to `head` can arrive any more. */
  settled(head: number): void {
    for (const [id, { role, number }] of this.roles)
      if (role.deleted && number <= head) this.roles.delete(id);
  }

  clear(): void {
    this.roles.clear();
    this.implicit = [];
  }

  /**
   * Why the permission is held in the scope, or undefined where it is not. A binding on the platform covers every
   * scope, one in an organization that organization alone; a role of an organization counts only in bindings of that
   * organization.
   */
  allows(
    subject: DecisionSubject,
    bindings: readonly GrantedRole[],
    permission: string,
    scope: string,
  ): string | undefined {
    if (subject.type === 'user') {
      for (const { role, permissions } of this.implicit) {
        if (permissions.has(permission))
          return `every user holds ${permission} by the role ${role.name}`;
      }
    }
    for (const binding of bindings) {
      if (binding.scope !== PLATFORM_SCOPE && binding.scope !== scope) continue;
      const held = this.roles.get(binding.roleId);
      if (held === undefined || held.role.deleted) continue;
      const { role, permissions } = held;
      if (
        role.organizationId !== undefined &&
        binding.scope !== organizationScope(role.organizationId)
      )
        continue;
      if (role.allPermissions || permissions.has(permission))
        return `role ${role.name} in scope ${binding.scope}`;
    }
    return undefined;
  }

  private findImplicit(): void {
    this.implicit = [...this.roles.values()].filter(
      ({ role }) => role.implicit && !role.deleted && role.organizationId === undefined,
    );
  }
}
