import { CheckBatchTooLarge } from '@gatehouse/contracts-authz';
import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';

import { type CheckAnswer, type CheckBody, MAX_BATCH } from '../decisions.schemas.ts';
import { Check } from './check.ts';

/** Answers in the order of the questions, however often one is repeated. */
export class CheckBatch extends Query<CheckAnswer[]> {
  constructor(readonly questions: readonly CheckBody[]) {
    super();
  }
}

@QueryHandler(CheckBatch)
export class CheckBatchHandler implements IQueryHandler<CheckBatch> {
  constructor(private readonly queries: QueryBus) {}

  /** @throws CheckBatchTooLarge */
  async execute({ questions }: CheckBatch): Promise<CheckAnswer[]> {
    if (questions.length > MAX_BATCH) {
      throw new CheckBatchTooLarge(`At most ${MAX_BATCH} checks, not ${questions.length}.`);
    }
    const answers: CheckAnswer[] = [];
    // One after the other: a batch takes one connection, not a hundred.
    for (const question of questions) answers.push(await this.queries.execute(new Check(question)));
    return answers;
  }
}
