import { PermissionUnknown } from '@gatehouse/contracts-authz';
import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';

import { Permission } from './permission.entity.ts';

/** The permissions that services have declared. */
@Injectable()
export class Catalogue {
  constructor(private readonly database: Database) {}

  get rows() {
    return this.database.repository(Permission);
  }

  /**
   * @param pointer of the list in the request's body
   * @throws PermissionUnknown names each that no service declares
   */
  async assertDeclared(names: readonly string[], pointer: string): Promise<void> {
    if (names.length === 0) return;
    const known = await this.rows.findBy({ name: In([...names]) });
    const declared = new Set(known.map(({ name }) => name));
    const unknown = names.filter((name) => !declared.has(name));
    if (unknown.length > 0) {
      throw new PermissionUnknown(`No service declares ${unknown.join(', ')}.`, {
        violations: unknown.map((name) => ({ pointer, message: `No service declares ${name}` })),
      });
    }
  }
}
