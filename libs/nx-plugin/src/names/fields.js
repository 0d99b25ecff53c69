import { fieldNames } from './checked-names.js';
import { FIELD_TYPES } from './field-types.js';
import { namesOf } from './names.js';

/** @typedef {import('./names.js').Names} Names */
/** @typedef {import('./field-types.js').FieldType} FieldType */

/**
 * @typedef {object} Field
 * @property {Names} names
 * @property {string} kind the key in FIELD_TYPES
 * @property {FieldType} type
 * @property {boolean} optional may be absent: null
 * @property {readonly string[]} values of an enum
 * @property {string} typeName of an enum: `OrderStatus`, in the entity and in the messages
 * @property {string} constant of an enum: what maps its values to those of the messages
 */

const SHAPE = 'name:type, or name:type? where it may be absent';
const VALUE = /^[a-z][a-z0-9_]*$/;

/**
 * `title:string total:decimal due:date? status:enum(open,paid)`
 *
 * @param {string} text
 * @param {Names} resource
 * @returns {Field[]}
 * @throws Error that names the field and what is wrong with it
 */
export function parseFields(text, resource) {
  const fields = split(text).map((word) => parseField(word, resource));
  if (fields.length === 0) throw new Error(`a resource has at least one field: ${SHAPE}`);
  const seen = new Set();
  for (const { names } of fields) {
    if (seen.has(names.snake)) throw new Error(`the field "${names.snake}" is named twice`);
    seen.add(names.snake);
  }
  if (fields.every(({ optional }) => optional)) {
    throw new Error('one field at least is always there: leave the "?" away from it');
  }
  return fields;
}

/**
 * At white space and commas, but not inside brackets.
 *
 * @param {string} text
 */
function split(text) {
  const words = [''];
  let depth = 0;
  for (const letter of text) {
    if (letter === '(') depth += 1;
    if (letter === ')') depth -= 1;
    if (depth === 0 && /[\s,]/.test(letter)) words.push('');
    else words.push((words.pop() ?? '') + letter);
  }
  if (depth !== 0) throw new Error(`"${text}": a bracket is not closed`);
  return words.filter((word) => word !== '');
}

/**
 * @param {string} word
 * @param {Names} resource
 * @returns {Field}
 */
function parseField(word, resource) {
  const match = /^([^:]+):([a-z]+)(?:\((.*)\))?(\?)?$/.exec(word);
  if (!match) throw new Error(`"${word}" is no field: expected ${SHAPE}`);
  const [, name = '', kind = '', list, mark] = match;
  const names = fieldNames(name);
  const type = Object.hasOwn(FIELD_TYPES, kind) ? FIELD_TYPES[kind] : undefined;
  if (!type) {
    const known = Object.keys(FIELD_TYPES).join(', ');
    throw new Error(`"${word}": there is no type "${kind}"; there are ${known}`);
  }
  const values = kind === 'enum' ? valuesOf(word, list) : [];
  if (kind !== 'enum' && list !== undefined) {
    throw new Error(`"${word}": only an enum lists values`);
  }
  return {
    names,
    kind,
    type,
    optional: mark !== undefined,
    values,
    typeName: `${resource.pascal}${names.pascal}`,
    constant: names.constant,
  };
}

/**
 * @param {string} word
 * @param {string | undefined} list
 */
function valuesOf(word, list) {
  const values = (list ?? '').split(/[\s,|]+/).filter((value) => value !== '');
  if (values.length < 2) throw new Error(`"${word}": an enum lists two values or more`);
  for (const value of values) {
    if (!VALUE.test(value) || value === 'unspecified') {
      throw new Error(
        `"${word}": "${value}" cannot be a value; use lower-case letters, digits and _`,
      );
    }
  }
  if (new Set(values).size < values.length) {
    throw new Error(`"${word}": a value is listed twice`);
  }
  return values;
}

/** @param {Field} field */
export const protoTypeOf = (field) => (field.kind === 'enum' ? field.typeName : field.type.proto);

/** @param {Field} field @param {string} value */
export const protoValueOf = (field, value) =>
  `${namesOf(field.typeName).constant}_${value.toUpperCase()}`;
