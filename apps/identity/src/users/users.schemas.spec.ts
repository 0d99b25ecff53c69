import { describe, expect, it } from '@jest/globals';

import { CreateUserBody, ListUsersQuery, UpdateUserBody } from './users.schemas.ts';

describe('what may be said of a user', () => {
  it('is an address in lower case and a name of one line, trimmed', () => {
    expect(CreateUserBody.parse({ email: ' Ada@Example.COM ', display_name: ' Ada  ' })).toEqual({
      email: 'ada@example.com',
      display_name: 'Ada',
    });
  });

  it.each([
    { email: 'a@example.com', status: 'deactivated' },
    { email: 'a@example.com', version: 7 },
    { email: 'a@example.com', display_name: '' },
    { email: 'a@example.com', display_name: 'x'.repeat(201) },
    { email: 'a@example.com', display_name: 'a\u2028b' },
    { email: 'a@example.com', display_name: '\u001b[31mred' },
    { email: `${'a'.repeat(250)}@example.com` },
    { email: 'a@example.com\r\nBcc: b@example.com' },
  ])('is not %j', (body) => {
    expect(CreateUserBody.safeParse(body).success).toBe(false);
  });

  it('changes by one member at least', () => {
    expect(UpdateUserBody.safeParse({}).success).toBe(false);
    expect(UpdateUserBody.safeParse({ id: 'x', email: 'a@example.com' }).success).toBe(false);
    expect(UpdateUserBody.safeParse({ email: 'a@example.com' }).success).toBe(true);
  });

  it('is asked for by what there is to ask for', () => {
    expect(ListUsersQuery.safeParse({ status: 'deleted' }).success).toBe(false);
    expect(ListUsersQuery.safeParse({ organization_id: 'x' }).success).toBe(false);
    expect(ListUsersQuery.safeParse({ page_size: '200', q: 'a' }).success).toBe(true);
  });
});
