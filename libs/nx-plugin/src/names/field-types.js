/** @typedef {import('./fields.js').Field} Field */

/**
 * What a type of field is at every border. Expressions are TypeScript; `value` stands for what is converted.
 *
 * @typedef {object} FieldType
 * @property {string} says one line for the help
 * @property {string} sql the column's type
 * @property {string} column what `@Column` calls it
 * @property {number} [precision]
 * @property {(field: Field) => string} entity the property's type
 * @property {(field: Field) => string} schema of the request
 * @property {(field: Field) => string} [viewSchema] of the answer, where it differs
 * @property {string[]} kernel what the schemas import of the kernel
 * @property {(field: Field) => string} event the schema in an event
 * @property {string} proto
 * @property {(value: string) => string} [toEntity] from the request
 * @property {(value: string) => string} [toView] from the entity
 * @property {(value: string, field: Field) => string} [toMessage] from the view
 * @property {(field: Field, other: boolean) => string} example one value of a request, and another
 * @property {string} wrong a value that is refused
 */

/** @type {Record<string, FieldType>} */
export const FIELD_TYPES = {
  string: {
    says: 'one line of text, at most 200 characters',
    sql: 'text',
    column: 'text',
    entity: () => 'string',
    schema: () => 'line(200)',
    kernel: ['line'],
    event: () => 'z.string()',
    proto: 'string',
    example: ({ names }, other) => `'${other ? 'Another' : 'A'} ${names.words}'`,
    wrong: `'two\\nlines'`,
  },
  text: {
    says: 'text of any number of lines, at most 10,000 characters',
    sql: 'text',
    column: 'text',
    entity: () => 'string',
    schema: () => 'paragraphs(10_000)',
    kernel: ['paragraphs'],
    event: () => 'z.string()',
    proto: 'string',
    example: ({ names }, other) => `'${other ? 'Other' : 'Some'} ${names.words}\\non two lines'`,
    wrong: '7',
  },
  integer: {
    says: 'a whole number of 32 bits',
    sql: 'integer',
    column: 'integer',
    entity: () => 'number',
    schema: () => 'z.int32()',
    kernel: [],
    event: () => 'z.int()',
    proto: 'int32',
    example: (_field, other) => (other ? '8' : '7'),
    wrong: '1.5',
  },
  decimal: {
    says: 'an exact number, as text: 15 digits before the point and 4 after it',
    sql: 'numeric',
    column: 'numeric',
    entity: () => 'string',
    schema: () => 'Decimal',
    kernel: ['Decimal'],
    event: () => 'z.string()',
    proto: 'string',
    example: (_field, other) => (other ? `'99.95'` : `'12.50'`),
    wrong: `'1,5'`,
  },
  boolean: {
    says: 'true or false',
    sql: 'boolean',
    column: 'boolean',
    entity: () => 'boolean',
    schema: () => 'z.boolean()',
    kernel: [],
    event: () => 'z.boolean()',
    proto: 'bool',
    example: (_field, other) => (other ? 'false' : 'true'),
    wrong: `'yes'`,
  },
  date: {
    says: 'a day, 2026-11-23',
    sql: 'date',
    column: 'date',
    entity: () => 'string',
    schema: () => `z.iso.date()`,
    kernel: [],
    event: () => 'z.string()',
    proto: 'string',
    example: (_field, other) => (other ? `'2026-12-24'` : `'2026-11-23'`),
    wrong: `'23.11.2026'`,
  },
  datetime: {
    says: 'a moment, RFC 3339',
    sql: 'timestamptz(3)',
    column: 'timestamptz',
    precision: 3,
    entity: () => 'Date',
    schema: () => 'TimestampInput',
    viewSchema: () => 'Timestamp',
    kernel: ['TimestampInput'],
    event: () => 'z.string()',
    proto: 'google.protobuf.Timestamp',
    toEntity: (value) => `new Date(${value})`,
    toView: (value) => `${value}.toISOString()`,
    toMessage: (value) => `toTimestamp(new Date(${value}))`,
    example: (_field, other) =>
      other ? `'2026-12-24T18:00:00.000Z'` : `'2026-11-23T06:15:00.000Z'`,
    wrong: `'yesterday'`,
  },
  uuid: {
    says: 'the id of something else',
    sql: 'uuid',
    column: 'uuid',
    entity: () => 'string',
    schema: () => 'Uuid',
    kernel: [],
    event: () => 'z.uuid()',
    proto: 'string',
    example: (_field, other) =>
      other ? `'01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a12'` : `'01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11'`,
    wrong: `'7'`,
  },
  email: {
    says: 'an e-mail address, kept in lower case',
    sql: 'text',
    column: 'text',
    entity: () => 'string',
    schema: () => 'emailSchema',
    kernel: ['emailSchema'],
    event: () => 'z.string()',
    proto: 'string',
    example: (_field, other) => (other ? `'grace@example.com'` : `'ada@example.com'`),
    wrong: `'nobody'`,
  },
  enum: {
    says: 'one of the values named: enum(open,paid)',
    sql: 'text',
    column: 'text',
    entity: ({ typeName }) => typeName,
    schema: ({ names }) => names.pascal,
    kernel: [],
    event: ({ values }) => `z.enum([${values.map((value) => `'${value}'`).join(', ')}])`,
    proto: 'string',
    toMessage: (value, { constant }) => `${constant}[${value}]`,
    example: ({ values }, other) => `'${other ? (values[1] ?? values[0]) : values[0]}'`,
    wrong: `'none of them'`,
  },
};
