import { Cached } from '@gatehouse/cache';
import { UserNotFound } from '@gatehouse/contracts-identity';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import { USER_WRITTEN } from '../user.cache.ts';
import { toView } from '../user.mapping.ts';
import { UserStore } from '../user.store.ts';
import type { UserView } from '../users.schemas.ts';

export class GetUser extends Query<UserView> {
  constructor(readonly id: string) {
    super();
  }
}

@QueryHandler(GetUser)
export class GetUserHandler implements IQueryHandler<GetUser> {
  constructor(private readonly users: UserStore) {}

  /** @throws UserNotFound */
  @Cached({
    cache: USER_WRITTEN.cache,
    ttl: USER_WRITTEN.ttl,
    version: USER_WRITTEN.version,
    key: ({ id }: GetUser) => id,
  })
  async execute({ id }: GetUser): Promise<UserView> {
    const user = await this.users.rows.findOneBy({ id });
    if (!user) throw new UserNotFound();
    return toView(user);
  }
}
