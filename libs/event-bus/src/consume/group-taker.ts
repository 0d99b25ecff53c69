import type { CloudEvent } from '@gatehouse/contracts-platform';

import type { EventHandler } from './consumer.ts';
import type { Delivery } from './delivery.ts';

/** `held`: durably put aside, to be handled in its turn. `dropped`: given up, counted and logged. */
export type Taken = 'handled' | 'duplicate' | 'held' | 'dropped';

/** An event on its way to a handler. */
export interface Arrival {
  delivery: Delivery;
  event: CloudEvent;
  handler: EventHandler;
  /** Aborted when the partition goes to another member, or the process stops. */
  signal: AbortSignal;
}

/**
 * Takes events for consumers in mode `group`. Once a method has resolved, the record's offset may be committed; where it
 * throws, the record is delivered again. Two adapters: with an inbox (TakeEvent), and without (TakeWithoutInbox).
 */
export abstract class GroupTaker {
  abstract take(arrival: Arrival): Promise<Taken>;

  /** Of a record that may have been in hand when its consumer's last process ended. */
  abstract takeCounted(arrival: Arrival): Promise<Taken>;

  /** Of a record that cannot be handled at all. */
  abstract hold(delivery: Delivery, error: unknown): Promise<Taken>;
}
