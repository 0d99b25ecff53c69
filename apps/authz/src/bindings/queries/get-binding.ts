import { BindingNotFound } from '@gatehouse/contracts-authz';
import type { Principal } from '@gatehouse/kernel';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import { ownerScope } from '../../decisions/scope.ts';
import { BindingStore } from '../binding.store.ts';
import { type BindingView, toView } from '../bindings.schemas.ts';

export class GetBinding extends Query<BindingView> {
  constructor(
    readonly who: Principal,
    readonly id: string,
  ) {
    super();
  }
}

@QueryHandler(GetBinding)
export class GetBindingHandler implements IQueryHandler<GetBinding> {
  constructor(private readonly bindings: BindingStore) {}

  /** @throws BindingNotFound, also for one outside the organization that the caller's token chose */
  async execute({ who, id }: GetBinding): Promise<BindingView> {
    const binding = await this.bindings.rows.findOne({ where: { id }, relations: { role: true } });
    const visible =
      who.organizationId === undefined || binding?.scope === ownerScope(who.organizationId);
    if (!binding || !visible) throw new BindingNotFound();
    return toView(binding);
  }
}
