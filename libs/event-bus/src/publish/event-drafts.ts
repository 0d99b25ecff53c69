import { type CloudEvent, dataSchemaOf, type EventCatalogue } from '@gatehouse/contracts-platform';
import { formatTraceparent, newId, requestContext, ServiceInfo } from '@gatehouse/kernel';
import { Inject, Injectable } from '@nestjs/common';

import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import { actorOf } from '../consume/event-context.ts';
import { InvalidEvent } from './errors.ts';

/** What the service publishes, as given to `EventBusModule`. */
export const EVENT_CATALOGUES = Symbol('EVENT_CATALOGUES');

/** JSON characters of an envelope: what belongs into an event is a fact, not a file. */
const MAX_EVENT_SIZE = 256 * 1024;
const MAX_KEY_LENGTH = 512;

export type Draft = Omit<CloudEvent, 'sequence'>;

/** Makes the envelope of an event out of what its publisher says and the work in hand. */
@Injectable()
export class EventDrafts {
  private readonly catalogues: ReadonlyMap<string, EventCatalogue>;

  constructor(
    @Inject(EVENT_CATALOGUES) catalogues: readonly EventCatalogue[],
    private readonly service: ServiceInfo,
    metrics: EventBusMetrics,
  ) {
    this.catalogues = new Map(
      catalogues.flatMap((catalogue) => catalogue.types.map((type) => [type, catalogue] as const)),
    );
    metrics.knowTypes([...this.catalogues.keys()]);
  }

  /** @throws InvalidEvent for a type that is not the service's own, or data that does not fit the type's schema */
  draft(type: string, event: { key: string; subject?: string; data: unknown }): Draft {
    const catalogue = this.catalogues.get(type);
    if (!catalogue) throw new InvalidEvent(`${this.service.name} does not publish "${type}"`);
    if (event.key === '' || event.key.length > MAX_KEY_LENGTH || event.key.includes('\0')) {
      throw new InvalidEvent(`${type}: a key has 1 to ${MAX_KEY_LENGTH} characters`);
    }
    const data = catalogue.schemaOf(type).safeParse(event.data);
    if (!data.success) {
      const wrong = data.error.issues.map((issue) => `/${issue.path.join('/')}: ${issue.message}`);
      throw new InvalidEvent(`${type}: ${wrong.join('; ')}`);
    }
    const context = requestContext.current();
    const actor = actorOf(context);
    return {
      specversion: '1.0',
      id: newId(),
      source: this.service.name,
      type,
      ...(event.subject !== undefined && { subject: event.subject }),
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      dataschema: dataSchemaOf(type),
      ...(context && { traceparent: formatTraceparent(context.trace) }),
      ...(actor !== undefined && { userid: actor }),
      partitionkey: event.key,
      data: data.data,
    };
  }
}

/** @throws InvalidEvent where it is too long */
export function jsonOf(event: CloudEvent): string {
  const json = JSON.stringify(event);
  if (json.length > MAX_EVENT_SIZE) {
    throw new InvalidEvent(
      `${event.type} is ${json.length} characters long; ${MAX_EVENT_SIZE} are allowed`,
    );
  }
  return json;
}
