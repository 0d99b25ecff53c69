import { type ClientOf, InjectClient } from '@gatehouse/clients';
import {
  authzV1,
  type Role,
  type SubjectGrants as SubjectMessage,
} from '@gatehouse/contracts-authz';
import { Injectable } from '@nestjs/common';

import { detached } from '../following/detached.ts';
import type { Signal } from '../following/signal.ts';
import {
  type GrantChange,
  GrantSource,
  type RoleState,
  type SubjectGrants,
} from './grant.source.ts';

/** Follows `Authz.WatchChanges` and asks `Authz.ListGrants`. */
@Injectable()
export class GrpcGrantSource extends GrantSource {
  constructor(@InjectClient(authzV1) private readonly authz: ClientOf<typeof authzV1>) {
    super();
  }

  override async *watch(after: number, signal: AbortSignal): AsyncGenerator<Signal<GrantChange>> {
    for await (const { change, heartbeat } of this.authz.watchChanges(
      { after },
      { as: 'service', signal },
    )) {
      if (heartbeat != null) yield { head: heartbeat.head };
      else if (change?.role != null)
        yield { change: { number: change.number, role: roleOf(change.role) } };
      else if (change?.subject != null) {
        yield {
          change: {
            number: change.number,
            subject: { ...subjectOf(change.subject), number: change.number },
          },
        };
      }
    }
  }

  override async grantsOf(subjectId: string): Promise<SubjectGrants> {
    // Whoever asks for the same subject meanwhile waits for this answer too.
    const { grants } = await detached(() =>
      this.authz.listGrants({ subjectId }, { as: 'service' }),
    );
    if (grants == null) throw new Error('Authz answered without grants');
    return subjectOf(grants);
  }
}

function roleOf(role: Role): RoleState {
  const { id, name, permissions, allPermissions, implicit, deleted, organizationId } = role;
  return {
    id,
    name,
    permissions,
    allPermissions,
    implicit,
    deleted,
    ...(organizationId === '' ? {} : { organizationId }),
  };
}

function subjectOf({ subjectId, bindings, number }: SubjectMessage): SubjectGrants {
  return { subjectId, number, bindings: bindings.map(({ roleId, scope }) => ({ roleId, scope })) };
}
