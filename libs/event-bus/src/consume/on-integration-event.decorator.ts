import 'reflect-metadata';

import type {
  CloudEvent,
  IntegrationEventMap,
  IntegrationEventType,
} from '@gatehouse/contracts-platform';

/**
 * `group`: one instance of the service handles the event. `broadcast`: every instance sees it, from its start on; the
 * handler is idempotent, runs in no transaction of the bus, and what fails is counted and dropped.
 */
export type ConsumerMode = 'group' | 'broadcast';

export interface SubscriptionOptions {
  /** Names the consumer within its service, for good: its offsets, inbox and dead letters are kept under it. */
  consumer: string;
  mode?: ConsumerMode;
}

export interface SubscriptionMetadata {
  types: readonly string[];
  consumer: string;
  mode: ConsumerMode;
}

const SUBSCRIPTION = Symbol('subscription to integration events');

type Handler<K extends IntegrationEventType> = (
  event: CloudEvent<IntegrationEventMap[K]>,
) => Promise<void>;

/**
 * A method of a provider that handles integration events.
 *
 * In mode `group` the library opens the transaction and writes the inbox row in it: effects in the service's own schema
 * happen once, whatever is delivered twice. Calls to the outside carry the event's id as their idempotency key. A handler
 * that throws is tried again, in time; see `NotRetryable`.
 */
export function OnIntegrationEvent<K extends IntegrationEventType>(
  type: K | readonly K[],
  { consumer, mode = 'group' }: SubscriptionOptions,
) {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(consumer)) {
    throw new Error(`"${consumer}" is not a consumer's name: lower case, digits and dashes`);
  }
  return <H extends Handler<K>>(
    target: object,
    method: string | symbol,
    property: TypedPropertyDescriptor<H>,
  ): void => {
    const handler = property.value;
    if (!handler) {
      throw new Error(`${String(method)} of ${target.constructor.name} is not a method`);
    }
    const types: readonly string[] = typeof type === 'string' ? [type] : type;
    const metadata: SubscriptionMetadata = { types, consumer, mode };
    Reflect.defineMetadata(SUBSCRIPTION, metadata, handler);
  };
}

export function subscriptionOf(method: object): SubscriptionMetadata | undefined {
  return Reflect.getMetadata(SUBSCRIPTION, method) as SubscriptionMetadata | undefined;
}
