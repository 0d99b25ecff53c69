import { describe, expect, it } from '@jest/globals';

import { eventHeaders } from './event-headers.ts';

describe('the headers of an event', () => {
  it('name its attributes, its trace and that the value is the whole of it', () => {
    expect(
      eventHeaders({
        specversion: '1.0',
        id: '01',
        source: 'alpha',
        type: 'alpha.order.placed.v1',
        subject: 'orders/7',
        time: '2026-11-23T00:00:00.000Z',
        datacontenttype: 'application/json',
        dataschema: 'urn:x',
        traceparent: '00-aa-bb-01',
        userid: 'user-1',
        partitionkey: '7',
        sequence: 3,
        data: { secret: 'not here' },
      }),
    ).toEqual({
      'content-type': 'application/cloudevents+json',
      ce_specversion: '1.0',
      ce_id: '01',
      ce_source: 'alpha',
      ce_type: 'alpha.order.placed.v1',
      ce_subject: 'orders/7',
      ce_time: '2026-11-23T00:00:00.000Z',
      ce_traceparent: '00-aa-bb-01',
      ce_userid: 'user-1',
      ce_partitionkey: '7',
      ce_sequence: '3',
      traceparent: '00-aa-bb-01',
    });
  });
});
