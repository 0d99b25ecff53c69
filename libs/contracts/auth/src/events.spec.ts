import { describe, expect, it } from '@jest/globals';

import { authEvents } from './events.ts';

describe('the events of auth', () => {
  it('do not carry the address that was tried', () => {
    const failed = authEvents.schemaOf('auth.login.failed.v1');
    expect(failed.parse({ reason: 'wrong_password', email: 'ann@example.com' })).toEqual({
      reason: 'wrong_password',
    });
  });
});
