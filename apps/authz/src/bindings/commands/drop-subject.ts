import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { BindingStore } from '../binding.store.ts';

/** The subject is gone, and with it whatever it was given. */
export class DropSubject extends Command<number> {
  constructor(readonly subjectId: string) {
    super();
  }
}

@CommandHandler(DropSubject)
export class DropSubjectHandler implements ICommandHandler<DropSubject> {
  constructor(private readonly bindings: BindingStore) {}

  /** @returns how many bindings went */
  @Transactional()
  execute({ subjectId }: DropSubject): Promise<number> {
    return this.bindings.removeWhere({ subjectId });
  }
}
