import { ChangeFeed } from '@gatehouse/persistence';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import type { CheckAnswer, CheckBody } from '../decisions.schemas.ts';
import { Holdings } from '../holdings.ts';

/** Whether a subject holds a permission in a scope, from the tables: never older than the last commit. */
export class Check extends Query<CheckAnswer> {
  constructor(readonly question: CheckBody) {
    super();
  }
}

@QueryHandler(Check)
export class CheckHandler implements IQueryHandler<Check> {
  constructor(
    private readonly holdings: Holdings,
    private readonly feed: ChangeFeed,
  ) {}

  async execute({ question }: Check): Promise<CheckAnswer> {
    const { subject_id: id, subject_type: type, permission, scope } = question;
    // The number first: what is read after it is at least as new.
    const revision = await this.feed.head();
    const held = await this.holdings.of({ id, type }, scope);
    const by = held.find((role) => role.all_permissions || role.permissions.includes(permission));
    if (by === undefined) {
      return {
        allowed: false,
        reason: `no role that holds ${permission} in scope ${scope}`,
        revision,
      };
    }
    const reason = by.implicit
      ? `every user holds ${permission} by the role ${by.role}`
      : `role ${by.role} in scope ${by.scope}`;
    return { allowed: true, reason, revision };
  }
}
