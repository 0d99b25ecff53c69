import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import { toView } from '../role.mapping.ts';
import { type Owner, RoleStore } from '../role.store.ts';
import type { RoleView } from '../roles.schemas.ts';

/** The owner's role of that name, else the platform's. */
export class GetRole extends Query<RoleView> {
  constructor(
    readonly name: string,
    readonly owner: Owner,
  ) {
    super();
  }
}

@QueryHandler(GetRole)
export class GetRoleHandler implements IQueryHandler<GetRole> {
  constructor(private readonly roles: RoleStore) {}

  /** @throws RoleNotFound */
  async execute({ name, owner }: GetRole): Promise<RoleView> {
    return toView(await this.roles.visible(name, owner));
  }
}
