import { z } from 'zod';

import { toJsonSchema } from './json-schema.ts';

describe('toJsonSchema', () => {
  it('makes components of schemas with an id, and refers to them', () => {
    const Item = z.strictObject({ name: z.string() }).meta({ id: 'TestItem' });
    const List = z.strictObject({ items: z.array(Item), next: z.string().nullable() });
    const converted = toJsonSchema(List, 'output');
    expect(converted?.schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      properties: { next: { type: ['string', 'null'] } },
    });
    expect(Object.keys(converted?.components ?? {})).toEqual(['TestItem']);
    expect(toJsonSchema(Item, 'output')?.schema).toEqual({ $ref: '#/components/schemas/TestItem' });
  });

  it('tells what is sent from what is answered', () => {
    const schema = z.strictObject({ size: z.number().default(1) });
    expect(toJsonSchema(schema, 'input')?.schema.required).toBeUndefined();
    expect(toJsonSchema(schema, 'output')?.schema.required).toEqual(['size']);
  });

  it('describes a Date by how it is written', () => {
    expect(toJsonSchema(z.date(), 'output')?.schema).toMatchObject({
      type: 'string',
      format: 'date-time',
    });
  });

  it('leaves what is no zod schema to others', () => {
    expect(toJsonSchema({}, 'input')).toBeUndefined();
  });
});
