import { CurrentPrincipal, RequirePermission, RouteOptions } from '@gatehouse/guards';
import { Answers, type Principal, Uuid } from '@gatehouse/kernel';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';

import {
  CheckAnswer,
  CheckBatchAnswer,
  CheckBatchBody,
  CheckBody,
  SubjectPermissionsAnswer,
  SubjectPermissionsQuery,
} from './decisions.schemas.ts';
import { Holdings } from './holdings.ts';
import { CheckBatch } from './queries/check-batch.ts';
import { Check } from './queries/check.ts';
import { GetSubjectPermissions } from './queries/get-subject-permissions.ts';

const CHECK = 'authz.check.execute';

/** Questions about anybody: asked in the scope they are about. */
@Controller('v1/authz')
export class DecisionsController {
  constructor(
    private readonly queries: QueryBus,
    private readonly holdings: Holdings,
  ) {}

  @Post('check')
  @HttpCode(200)
  @RequirePermission(CHECK, { description: 'Ask what others may do' })
  @RouteOptions({ idempotent: true })
  @Answers(200, CheckAnswer, 'The decision')
  async check(@CurrentPrincipal() who: Principal, @Body({ schema: CheckBody }) body: CheckBody) {
    await this.holdings.assertHolds(who, CHECK, body.scope);
    return this.queries.execute(new Check(body));
  }

  @Post('check-batch')
  @HttpCode(200)
  @RequirePermission(CHECK, { description: 'Ask what others may do' })
  @RouteOptions({ idempotent: true })
  @Answers(200, CheckBatchAnswer, 'The decisions')
  async checkBatch(
    @CurrentPrincipal() who: Principal,
    @Body({ schema: CheckBatchBody }) body: CheckBatchBody,
  ) {
    for (const scope of new Set(body.checks.map((check) => check.scope))) {
      await this.holdings.assertHolds(who, CHECK, scope);
    }
    return { results: await this.queries.execute(new CheckBatch(body.checks)) };
  }

  @Get('subjects/:id/permissions')
  @RequirePermission(CHECK, { orSelf: 'id', description: 'Ask what others may do' })
  @Answers(200, SubjectPermissionsAnswer, 'What the subject holds')
  async permissions(
    @CurrentPrincipal() who: Principal,
    @Param('id', { schema: Uuid }) id: string,
    @Query({ schema: SubjectPermissionsQuery }) query: SubjectPermissionsQuery,
  ) {
    if (who.id !== id) await this.holdings.assertHolds(who, CHECK, query.scope);
    return this.queries.execute(new GetSubjectPermissions(id, query));
  }
}
