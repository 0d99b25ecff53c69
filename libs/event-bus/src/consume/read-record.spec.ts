import { describe, expect, it } from '@jest/globals';

import { readRecord } from './read-record.ts';

const event = {
  specversion: '1.0',
  id: 'e1',
  source: 'identity',
  type: 'identity.user.created.v1',
  time: '2026-11-23T10:00:00.000Z',
  datacontenttype: 'application/json',
  dataschema: 'urn:gatehouse:event:identity.user.created.v1',
  partitionkey: 'u1',
  sequence: 1,
  data: { user_id: 'u1' },
};
const read = (value: unknown, source?: string) =>
  readRecord({
    topic: 'identity.user',
    value: value === null || typeof value === 'string' ? value : JSON.stringify(value),
    ...(source !== undefined && { source }),
  });

describe('a record', () => {
  it('is an event with its data untouched', () => {
    expect(read(event, 'identity')).toMatchObject({ kind: 'event', event });
    expect(read(event)).toMatchObject({ kind: 'event' });
  });

  it('may carry extensions this version does not know', () => {
    expect(read({ ...event, tracestate: 'a=b' })).toMatchObject({ kind: 'event' });
  });

  it('is a tombstone without a value', () => {
    expect(read(null)).toEqual({ kind: 'tombstone' });
  });

  it.each([
    ['claims a source that does not own the topic', { ...event, source: 'orders' }, undefined],
    ['claims another source than the broker saw', { ...event, source: 'orders' }, 'identity'],
    ['was appended by a service that does not own the topic', event, 'orders'],
    ['claims a source that is a mere prefix of the name', { ...event, source: 'ident' }, undefined],
  ])('is foreign if it %s', (_, value, source) => {
    expect(read(value, source)).toMatchObject({ kind: 'foreign' });
  });

  it.each([
    ['not JSON', '{"id"'],
    ['empty', ''],
    ['a number', '1'],
    ['null in JSON', 'null'],
    ['without an id', { ...event, id: undefined }],
    ['of another version', { ...event, specversion: '2.0' }],
    ['with a sequence that is no number', { ...event, sequence: 'x' }],
  ])('is unreadable if it is %s', (_, value) => {
    expect(read(value)).toMatchObject({ kind: 'unreadable' });
  });
});
