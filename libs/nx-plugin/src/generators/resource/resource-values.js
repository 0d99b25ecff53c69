import { parseFields, protoTypeOf, protoValueOf } from '../../names/fields.js';

/** @typedef {import('../../names/fields.js').Field} Field */
/** @typedef {import('../../names/checked-names.js').ResourceNames} ResourceNames */
/** @typedef {import('../../workspace/services.js').Service} Service */

/**
 * Everything the templates of a resource read.
 *
 * @param {Pick<Service, 'names' | 'contractPackage' | 'grpc'>} service
 * @param {ResourceNames} resource
 * @param {string} fieldList
 */
export function resourceValues({ names, contractPackage, grpc }, resource, fieldList) {
  const fields = parseFields(fieldList, resource.one).map(fieldValues);
  const kernel = ['Timestamp', 'Uuid', ...fields.flatMap(({ type }) => type.kernel)];
  return {
    ...resource,
    service: names,
    serviceSnake: names.snake,
    manySnake: resource.many.snake,
    contractPackage,
    grpc,
    fields,
    enums: fields.filter(({ kind }) => kind === 'enum'),
    required: fields.filter(({ optional }) => !optional),
    optional: fields.filter(({ optional }) => optional),
    /** What a list can be asked for by. */
    filters: fields.filter(({ kind }) => kind === 'enum' || kind === 'uuid'),
    kernelSchemas: [...new Set(kernel)].sort((a, b) => a.localeCompare(b)),
  };
}

/** @typedef {ReturnType<typeof resourceValues>} ResourceValues */

/**
 * A field with what stands for it in each file.
 *
 * @param {Field} field
 */
function fieldValues(field) {
  const { names, type, optional } = field;
  const schema = type.schema(field);
  const viewSchema = type.viewSchema?.(field) ?? schema;
  const same = (/** @type {string} */ value) => value;
  /** @param {string} value @param {(value: string) => string} convert @param {string} none */
  const unlessNull = (value, convert, none) =>
    optional && convert(value) !== value
      ? `${value} === null ? ${none} : ${convert(value)}`
      : convert(value);
  const toEntity = type.toEntity ?? same;
  const toAnswer = (/** @type {string} */ value) => (type.toView ?? same)(toEntity(value));
  const toMessage = (/** @type {string} */ value) => type.toMessage?.(value, field) ?? value;
  const viewMember = `view.${names.snake}`;
  return {
    ...field,
    schema,
    bodySchema: optional ? `${schema}.nullish()` : schema,
    changeSchema: optional ? `${schema}.nullish()` : `${schema}.optional()`,
    viewSchema: optional ? `${viewSchema}.nullable()` : viewSchema,
    eventSchema: optional ? `${type.event(field)}.nullable()` : type.event(field),
    entityType: optional ? `${type.entity(field)} | null` : type.entity(field),
    column: columnOf(field),
    sqlLine: sqlOf(field),
    createValue: optional
      ? orNull(`body.${names.snake}`, toEntity)
      : toEntity(`body.${names.snake}`),
    /** Of the request, what the answer says where nothing is kept. */
    answerValue: optional
      ? orNull(`body.${names.snake}`, toAnswer)
      : toAnswer(`body.${names.snake}`),
    changeValue: unlessNull(`change.${names.snake}`, toEntity, 'null'),
    viewValue: unlessNull(`row.${names.camel}`, type.toView ?? same, 'null'),
    messageValue:
      optional && !type.toMessage
        ? `${viewMember} ?? undefined`
        : unlessNull(viewMember, toMessage, 'undefined'),
    // A message is optional as it is.
    protoType: `${optional && field.kind !== 'datetime' ? 'optional ' : ''}${protoTypeOf(field)}`,
    protoValue: (/** @type {string} */ value) => protoValueOf(field, value),
    example: type.example(field, false),
    otherExample: type.example(field, true),
  };
}

/** @param {string} value @param {(value: string) => string} convert */
function orNull(value, convert) {
  return convert(value) === value
    ? `${value} ?? null`
    : `${value} == null ? null : ${convert(value)}`;
}

/** @param {Field} field */
function columnOf({ names, type, optional }) {
  const options = [
    names.snake === names.camel ? [] : `name: '${names.snake}'`,
    type.precision === undefined ? [] : `precision: ${type.precision}`,
    optional ? 'nullable: true' : [],
  ].flat();
  // TypeORM takes a precision in this form alone.
  if (type.precision !== undefined) {
    return `@Column({ type: '${type.column}', ${options.join(', ')} })`;
  }
  return `@Column('${type.column}'${options.length > 0 ? `, { ${options.join(', ')} }` : ''})`;
}

/** @param {Field} field */
function sqlOf({ names, type, optional, values }) {
  const allowed = values.map((value) => `'${value}'`).join(', ');
  return [
    `${names.snake} ${type.sql}`,
    optional ? [] : 'NOT NULL',
    values.length > 0 ? `CHECK (${names.snake} IN (${allowed}))` : [],
  ]
    .flat()
    .join(' ');
}
