import type {
  Role,
  SubjectGrants as GrantsMessage,
  WatchChangesResponse,
} from '@gatehouse/contracts-authz';
import type { GrantChange, RoleState, Signal, SubjectGrants } from '@gatehouse/guards';

export function roleMessage(role: RoleState): Role {
  return {
    id: role.id,
    name: role.name,
    organizationId: role.organizationId ?? '',
    permissions: [...role.permissions],
    allPermissions: role.allPermissions,
    deleted: role.deleted,
    implicit: role.implicit,
  };
}

export function grantsMessage({ subjectId, bindings, number }: SubjectGrants): GrantsMessage {
  return {
    subjectId,
    number,
    bindings: bindings.map((binding) => ({
      id: 'id' in binding ? String(binding.id) : '',
      subjectId,
      roleId: binding.roleId,
      scope: binding.scope,
    })),
  };
}

export function watchMessage(signal: Signal<GrantChange>): WatchChangesResponse {
  if ('head' in signal) return { heartbeat: { head: signal.head } };
  const { change } = signal;
  return {
    change: {
      number: change.number,
      ...('role' in change
        ? { role: roleMessage(change.role) }
        : { subject: grantsMessage(change.subject) }),
    },
  };
}
