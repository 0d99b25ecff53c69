import type { RoleState } from '@gatehouse/guards';

import type { Role } from './role.entity.ts';
import type { RoleView } from './roles.schemas.ts';

export function toView(role: Role): RoleView {
  return {
    id: role.id,
    name: role.name,
    description: role.description,
    organization_id: role.organizationId,
    permissions: role.permissions,
    built_in: role.builtIn,
    created_at: role.createdAt.toISOString(),
    updated_at: role.updatedAt.toISOString(),
    version: role.version,
  };
}

/** What followers of the change feed hold of a role. */
export function toState(role: Role, deleted = false): RoleState {
  return {
    id: role.id,
    name: role.name,
    ...(role.organizationId === null ? {} : { organizationId: role.organizationId }),
    permissions: role.permissions,
    allPermissions: role.allPermissions,
    implicit: role.implicit,
    deleted,
  };
}

/** The data of role events. */
export function toEventState(role: Role) {
  return {
    role_id: role.id,
    version: role.version,
    name: role.name,
    ...(role.organizationId === null ? {} : { organization_id: role.organizationId }),
    permissions: role.permissions,
  };
}
