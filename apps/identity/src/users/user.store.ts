import { UserNotFound } from '@gatehouse/contracts-identity';
import { checkVersion, Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { User } from './user.entity.ts';

/** The table of users, through the current transaction where there is one. */
@Injectable()
export class UserStore {
  constructor(private readonly database: Database) {}

  get rows() {
    return this.database.repository(User);
  }

  /** Stores a new user, unless the id or the address is taken. */
  async insert(user: User): Promise<boolean> {
    const result = await this.rows
      .createQueryBuilder()
      .insert()
      .values(user)
      .orIgnore()
      .returning('id')
      .execute();
    return (result.raw as unknown[]).length === 1;
  }

  /**
   * The user, locked until the transaction ends.
   * @throws UserNotFound
   * @throws PreconditionFailed where a version is expected and it is not this one
   */
  async lock(id: string, expectedVersion?: number): Promise<User> {
    const user = await this.rows.findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!user) throw new UserNotFound();
    checkVersion(expectedVersion, user.version);
    return user;
  }

  /** Stores what changed, as the next version. */
  async save(user: User): Promise<User> {
    user.version += 1;
    user.updatedAt = new Date();
    return this.rows.save(user);
  }
}
