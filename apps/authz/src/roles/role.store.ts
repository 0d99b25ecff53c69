import { RoleNotFound } from '@gatehouse/contracts-authz';
import { checkVersion, Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';

import { Role } from './role.entity.ts';

/** The organization whose roles are meant; undefined: the platform's. */
export type Owner = string | undefined;

/** The table of roles, through the current transaction where there is one. */
@Injectable()
export class RoleStore {
  constructor(private readonly database: Database) {}

  get rows() {
    return this.database.repository(Role);
  }

  /**
   * The role of that name which the owner may bind: its own, else the platform's.
   * @throws RoleNotFound
   */
  async visible(name: string, owner: Owner): Promise<Role> {
    const [own, platform] = await Promise.all([
      owner === undefined ? null : this.rows.findOneBy({ name, organizationId: owner }),
      this.rows.findOneBy({ name, organizationId: IsNull() }),
    ]);
    const role = own ?? platform;
    if (!role) throw new RoleNotFound(`There is no role "${name}".`);
    return role;
  }

  /**
   * The owner's role of that name, locked until the transaction ends.
   * @throws RoleNotFound
   * @throws PreconditionFailed where a version is expected and it is not this one
   */
  async lock(name: string, owner: Owner, expectedVersion?: number): Promise<Role> {
    const role = await this.rows.findOne({
      where: { name, organizationId: owner ?? IsNull() },
      lock: { mode: 'pessimistic_write' },
    });
    if (!role) throw new RoleNotFound(`There is no role "${name}".`);
    checkVersion(expectedVersion, role.version);
    return role;
  }

  /** Keeps the role from changing until the transaction ends. @throws RoleNotFound where it is gone meanwhile */
  async share(id: string): Promise<Role> {
    const role = await this.rows.findOne({ where: { id }, lock: { mode: 'pessimistic_read' } });
    if (!role) throw new RoleNotFound();
    return role;
  }
}
