import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import { toView } from '../user.mapping.ts';
import { UserStore } from '../user.store.ts';
import type { UserView } from '../users.schemas.ts';

/** Undefined where nobody holds the address. Never cached: a login depends on whether the user is active now. */
export class FindUserByEmail extends Query<UserView | undefined> {
  constructor(readonly email: string) {
    super();
  }
}

@QueryHandler(FindUserByEmail)
export class FindUserByEmailHandler implements IQueryHandler<FindUserByEmail> {
  constructor(private readonly users: UserStore) {}

  async execute({ email }: FindUserByEmail): Promise<UserView | undefined> {
    const user = await this.users.rows.findOneBy({ email });
    return user ? toView(user) : undefined;
  }
}
