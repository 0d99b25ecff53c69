import type { CloudEvent } from '@gatehouse/contracts-platform';

/**
 * Headers of an event in structured mode (CloudEvents 1.0, Kafka protocol binding, section 3.3): the record's value is the
 * whole event; its attributes are repeated as `ce_...`, and the trace by its W3C name, so that any client of the broker
 * reads and filters them without the value. For people and routers: whoever handles the event takes it from the value.
 */
export function eventHeaders(event: CloudEvent): Record<string, string> {
  const { data: _data, datacontenttype: _contentType, dataschema: _schema, ...attributes } = event;
  const headers: Record<string, string> = { 'content-type': 'application/cloudevents+json' };
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'string' || typeof value === 'number')
      headers[`ce_${name}`] = String(value);
  }
  if (typeof event.traceparent === 'string') headers.traceparent = event.traceparent;
  return headers;
}
