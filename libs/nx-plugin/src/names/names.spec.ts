import { describe, expect, it } from '@jest/globals';

import { fieldNames, partNames, resourceNames, serviceNames } from './checked-names.js';
import { parseFields } from './fields.js';
import { namesOf } from './names.js';

describe('a name', () => {
  it.each([
    'Order Items',
    'order-items',
    'OrderItems',
    'orderItems',
    'ORDER_ITEMS',
    ' order  items',
  ])('of any case has one right form: %s', (given) => {
    expect({ ...namesOf(given) }).toMatchObject({
      kebab: 'order-items',
      camel: 'orderItems',
      pascal: 'OrderItems',
      snake: 'order_items',
      constant: 'ORDER_ITEMS',
      words: 'order items',
      sentence: 'Order items',
      article: 'an order items',
    });
  });

  it('keeps an abbreviation in one word', () => {
    expect(namesOf('HTTPProbes').kebab).toBe('http-probes');
    expect(namesOf('parseJSON').kebab).toBe('parse-json');
  });

  it.each([
    ['order', 'order', 'orders'],
    ['Orders', 'order', 'orders'],
    ['delivery notes', 'delivery-note', 'delivery-notes'],
    ['status', 'status', 'statuses'],
    ['people', 'person', 'people'],
    ['equipment', 'equipment', 'equipment'],
  ])('of a resource is taken in either number: %s', (given, one, many) => {
    const names = resourceNames(given);
    expect([names.one.kebab, names.many.kebab]).toEqual([one, many]);
  });
});

describe('what cannot be a name', () => {
  it.each([
    ['', 'it is empty'],
    ['7up', 'it begins with a letter'],
    ['żółw', 'letters a to z'],
    ['../etc', 'letters a to z'],
    ['a$b', 'letters a to z'],
    ['x'.repeat(42), 'at most 41'],
    ['gateway', 'reserved'],
    ['Identity', 'reserved'],
    ['pg_catalog', 'reserved'],
    ['class', 'reserved'],
  ])('of a service, %j, is refused: %s', (given, why) => {
    expect(() => serviceNames(given)).toThrow(why);
  });

  it.each(['classes', 'new', 'Promise', 'event', 'queries'])(
    'of a resource, %s, is refused',
    (given) => {
      expect(() => resourceNames(given)).toThrow('is reserved');
    },
  );

  it.each(['id', 'Organization Id', 'createdAt', 'order', 'desc', 'class', 'version'])(
    'of a field, %s, is refused',
    (given) => {
      expect(() => fieldNames(given)).toThrow(/cannot name a field/);
    },
  );

  it('is said of what it cannot name', () => {
    expect(() => partNames('command', 'delete')).toThrow('"delete" cannot name a command');
  });
});

describe('the fields of a resource', () => {
  const order = namesOf('order');
  const parse = (text: string) =>
    parseFields(text, order).map(({ names, kind, optional, values }) => [
      names.snake,
      kind,
      optional,
      values,
    ]);

  it('are read as they are written', () => {
    expect(parse('title:string total:decimal dueOn:date? status:enum(open, paid)')).toEqual([
      ['title', 'string', false, []],
      ['total', 'decimal', false, []],
      ['due_on', 'date', true, []],
      ['status', 'enum', false, ['open', 'paid']],
    ]);
    expect(parse('a_b:text,c:uuid?')).toHaveLength(2);
  });

  it.each([
    ['', 'at least one field'],
    ['title', 'is no field'],
    ['title:money', 'there is no type "money"'],
    ['title:toString', 'is no field'],
    ['title:string Title:text', 'named twice'],
    ['title:string?', 'always there'],
    ['title:string(3)', 'only an enum'],
    ['status:enum', 'two values or more'],
    ['status:enum(open)', 'two values or more'],
    ['status:enum(open,open)', 'listed twice'],
    ['status:enum(open,Paid)', '"Paid" cannot be a value'],
    ['status:enum(open', 'is not closed'],
    ['id:uuid', 'cannot name a field'],
  ])('are refused where they are %j: %s', (text, why) => {
    expect(() => parse(text)).toThrow(why);
  });
});
