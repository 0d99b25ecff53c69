import { describe, expect, it } from '@jest/globals';
import type { IntegrationEventMap, IntegrationEventType } from '@gatehouse/contracts-platform';

import { identityEvents } from './events.ts';

/** Has the shape of `IntegrationEvents.publish`: the type check is the test of the typed map. */
function publish<K extends IntegrationEventType>(type: K, data: IntegrationEventMap[K]): boolean {
  return identityEvents.schemaOf(type).safeParse(data).success;
}

const reference = { user_id: '01890a5d-ac96-774b-bcce-b302099a8057', version: 2 };

describe('the events of identity', () => {
  it('travel on one topic, so that all events of a user stay in order', () => {
    expect(identityEvents.topics).toEqual(['identity.user']);
  });

  it('compile with the right type and data', () => {
    expect(publish('identity.user.deleted.v1', reference)).toBe(true);
    expect(
      publish('identity.user.updated.v1', {
        ...reference,
        email: 'ann@example.com',
        display_name: 'Ann',
        status: 'active',
        changed: ['display_name'],
      }),
    ).toBe(true);
  });

  it('do not compile when the type is misspelt', () => {
    // @ts-expect-error -- "delete" is not "deleted"
    expect(() => publish('identity.user.delete.v1', reference)).toThrow('has no event');
  });

  it('do not compile, nor pass, when the data is of another shape', () => {
    // @ts-expect-error -- a version is a number
    expect(publish('identity.user.deleted.v1', { ...reference, version: '2' })).toBe(false);
  });

  it('take members that a later version adds', () => {
    expect(
      identityEvents.schemaOf('identity.user.deleted.v1').parse({ ...reference, new: 1 }),
    ).toEqual(reference);
  });
});
