import { UserBatchTooLarge } from '@gatehouse/contracts-identity';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { In } from 'typeorm';

import { toView } from '../user.mapping.ts';
import { UserStore } from '../user.store.ts';
import type { UserView } from '../users.schemas.ts';

const MAX_IDS = 200;

/** Those nobody holds are left out; each user once, in order of id. */
export class BatchGetUsers extends Query<UserView[]> {
  constructor(readonly ids: readonly string[]) {
    super();
  }
}

@QueryHandler(BatchGetUsers)
export class BatchGetUsersHandler implements IQueryHandler<BatchGetUsers> {
  constructor(private readonly users: UserStore) {}

  /** @throws UserBatchTooLarge */
  async execute({ ids }: BatchGetUsers): Promise<UserView[]> {
    if (ids.length > MAX_IDS)
      throw new UserBatchTooLarge(`At most ${MAX_IDS} ids, not ${ids.length}.`);
    const users = await this.users.rows.find({ where: { id: In([...ids]) }, order: { id: 'ASC' } });
    return users.map(toView);
  }
}
