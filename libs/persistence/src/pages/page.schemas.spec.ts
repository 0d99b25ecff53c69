import { toJsonSchema } from '@gatehouse/kernel';
import { z } from 'zod';
import { PageQuery } from './page.schemas.ts';

const Query = z.strictObject({ ...PageQuery });

describe('the query of a list', () => {
  it('takes a size in digits, and has one where none is sent', () => {
    expect(Query.parse({ page_size: '200' })).toEqual({ page_size: 200 });
    expect(Query.parse({})).toEqual({ page_size: 25 });
  });

  it.each(['0', '201', '-1', '1.5', '1e2', '0x10', ' 7', '', 'seven', '9'.repeat(40), ['1', '2']])(
    'refuses the size %j',
    (page_size) => expect(Query.safeParse({ page_size }).success).toBe(false),
  );

  it('is described as an integer', () => {
    expect(toJsonSchema(Query, 'input')?.schema.properties).toMatchObject({
      page_size: { type: 'integer', minimum: 1, maximum: 200 },
    });
  });
});
