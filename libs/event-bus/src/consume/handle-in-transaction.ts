import type { CloudEvent } from '@gatehouse/contracts-platform';
import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import type { EventHandler } from './consumer.ts';
import { HandleEvent } from './handle-event.ts';

/** Runs handlers in a transaction that the bus opens. */
@Injectable()
export class HandleInTransaction {
  constructor(
    private readonly database: Database,
    private readonly handle: HandleEvent,
  ) {}

  /**
   * `prepare` is the transaction's first part, and may refuse the handler by answering something.
   * @throws what `HandleEvent.run` throws
   */
  async run<T>(
    consumer: string,
    prepare: () => Promise<
      { answer: T } | { handler: EventHandler; event: CloudEvent; after: () => Promise<T> }
    >,
  ): Promise<T> {
    let began: { at: number; type: string } | undefined;
    return this.database.transaction(async () => {
      // A transaction that lost its connection is repeated: not after the handler's time is up.
      if (began) this.handle.inTime(began.at, began.type);
      const work = await prepare();
      if ('answer' in work) return work.answer;
      began ??= { at: performance.now(), type: work.event.type };
      await this.handle.run(work.handler, work.event, consumer);
      return work.after();
    });
  }
}
