import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import type { SubjectPermissionsAnswer, SubjectPermissionsQuery } from '../decisions.schemas.ts';
import { Holdings } from '../holdings.ts';

/** Everything a subject holds in a scope, and by which roles. */
export class GetSubjectPermissions extends Query<SubjectPermissionsAnswer> {
  constructor(
    readonly subjectId: string,
    readonly query: SubjectPermissionsQuery,
  ) {
    super();
  }
}

@QueryHandler(GetSubjectPermissions)
export class GetSubjectPermissionsHandler implements IQueryHandler<GetSubjectPermissions> {
  constructor(private readonly holdings: Holdings) {}

  async execute({ subjectId, query }: GetSubjectPermissions): Promise<SubjectPermissionsAnswer> {
    const held = await this.holdings.of({ id: subjectId, type: query.subject_type }, query.scope);
    return {
      all_permissions: held.some((role) => role.all_permissions),
      permissions: [...new Set(held.flatMap((role) => role.permissions))].sort(),
      roles: held.map(({ role, scope, implicit }) => ({ role, scope, implicit })),
    };
  }
}
