import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import { CloudEventEnvelope } from './cloud-event.ts';
import { defineEvents } from './event-catalogue.ts';
import { topicOf } from './event-type.ts';

const Reference = z.object({ order_id: z.uuid() });

describe('an event catalogue', () => {
  const events = defineEvents('orders', {
    'orders.order.placed.v1': Reference,
    'orders.order.line_added.v1': Reference,
    'orders.invoice.sent.v2': Reference,
  });

  it('has one topic per aggregate type', () => {
    expect(events.topics).toEqual(['orders.invoice', 'orders.order']);
  });

  it('finds the schema of its own types alone', () => {
    expect(events.schemaOf('orders.order.placed.v1')).toBe(Reference);
    expect(() => events.schemaOf('toString')).toThrow('orders has no event "toString"');
  });

  it('writes each schema down as JSON Schema under its own id', () => {
    expect(events.jsonSchemaOf('orders.order.placed.v1')).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'urn:gatehouse:event:orders.order.placed.v1',
      required: ['order_id'],
    });
  });

  it.each([
    'orders.placed.v1',
    'orders.order.placed',
    'orders.order.Placed.v1',
    'identity.user.x.v1',
  ])('refuses %s as a type of orders', (type) => {
    expect(() => defineEvents('orders', { [type]: Reference })).toThrow(
      'is not an event of orders',
    );
  });
});

describe('a topic', () => {
  it('is the service and the entity of the type', () => {
    expect(topicOf('identity.user.created.v1')).toBe('identity.user');
  });

  it('is never made of something else', () => {
    expect(() => topicOf('identity.user')).toThrow('is not an event type');
  });
});

describe('the envelope', () => {
  const event = {
    specversion: '1.0',
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    source: 'orders',
    type: 'orders.order.placed.v1',
    time: '2026-11-23T06:00:00.000Z',
    datacontenttype: 'application/json',
    dataschema: 'urn:gatehouse:event:orders.order.placed.v1',
    partitionkey: '7',
    sequence: 1,
    data: {},
  };

  it('takes an event with an extension that it does not know', () => {
    expect(CloudEventEnvelope.parse({ ...event, tenant: 'a' })).toEqual(event);
  });

  it.each(['id', 'source', 'type', 'partitionkey'])('takes no event without %s', (member) => {
    expect(CloudEventEnvelope.safeParse({ ...event, [member]: undefined }).success).toBe(false);
  });

  it('takes one without a sequence, of a service that cannot count, but none that counts from nought', () => {
    const { sequence: _none, ...uncounted } = event;
    expect(CloudEventEnvelope.parse(uncounted)).toEqual(uncounted);
    expect(CloudEventEnvelope.safeParse({ ...event, sequence: 0 }).success).toBe(false);
  });
});
