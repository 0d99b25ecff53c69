import { ApiDocument } from './api-document.ts';
import { mutationsOf } from './schema-mutations.ts';
import { sampleOf } from './schema-samples.ts';

const document = new ApiDocument({
  components: { schemas: { Id: { type: 'string', format: 'uuid' } } },
});
const Order = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'lines'],
  properties: {
    id: { $ref: '#/components/schemas/Id' },
    note: { anyOf: [{ const: '' }, { type: 'string', pattern: '^[^\\x00-\\x1f]*$' }] },
    colour: { enum: ['red', 'blue'] },
    lines: {
      type: 'array',
      maxItems: 2,
      items: { type: 'object', required: ['count'], properties: { count: { type: 'integer' } } },
    },
    parent: { type: ['string', 'null'], format: 'uuid' },
  },
};
const mutations = mutationsOf(document, Order);
const named = (name: string) => mutations.find((each) => each.name === name);
const names = mutations.map(({ name }) => name);

describe('a sample of a schema', () => {
  it('has every member, in its form', () => {
    expect(sampleOf(document, Order)).toEqual({
      id: '01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11',
      note: '',
      colour: 'red',
      lines: [{ count: 1 }],
      parent: '01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11',
    });
  });

  it('is what the schema itself gives as an example', () => {
    expect(sampleOf(document, { type: 'string', example: 'Ada' })).toBe('Ada');
  });
});

describe('the mutations of a schema', () => {
  it('are of another type, in every place', () => {
    expect(JSON.parse(named('the body: an array')?.json ?? '')).toEqual([]);
    expect(JSON.parse(named('/id: a number')?.json ?? '')).toMatchObject({ id: 7, colour: 'red' });
    expect(JSON.parse(named('/lines/0/count: a text')?.json ?? '')).toMatchObject({
      lines: [{ count: 'text' }],
    });
  });

  it('are missing, unknown, outside of a form, or too many', () => {
    expect(JSON.parse(named('/id: missing')?.json ?? '')).not.toHaveProperty('id');
    expect(names).toContain('/nobody_knows_this: unknown');
    expect(names).toContain('/colour: a text of another form');
    expect(JSON.parse(named('/lines: too many items')?.json ?? '')).toMatchObject({
      lines: [{}, {}, {}],
    });
  });

  it('are text that JavaScript would not write', () => {
    expect(named('/__proto__: unknown')?.json).toContain('"__proto__":{"prototype"');
    expect(named('/id: half a character')?.json).toContain(String.raw`\ud800`);
    expect(named('/lines/0/count: a number beyond all')?.json).toContain('1e999');
  });

  it('are never what the schema takes', () => {
    expect(names).not.toContain('/parent: null');
    expect(names).not.toContain('/note: missing');
    expect(names).not.toContain('/note: a text of another form');
    expect(names).not.toContain('/lines/0/nobody_knows_this: unknown');
  });

  it('point at what is wrong', () => {
    expect(named('/lines/0/count: null')?.pointer).toBe('/lines/0/count');
    expect(named('the body: null')?.pointer).toBe('');
  });
});
