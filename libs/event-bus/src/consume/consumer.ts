import type { CloudEvent } from '@gatehouse/contracts-platform';

import type { ConsumerMode } from './on-integration-event.decorator.ts';

export type EventHandler = (event: CloudEvent) => Promise<void>;

/** All handlers of one consumer name. */
export interface Consumer {
  readonly name: string;
  readonly mode: ConsumerMode;
  readonly topics: readonly string[];
  /** By event type. */
  readonly handlers: ReadonlyMap<string, EventHandler>;
}
