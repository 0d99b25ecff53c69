import type { ApiDocument, Schema } from './api-document.ts';
import { choicesOf, propertiesOf, sampleOf, typesOf } from './schema-samples.ts';

/** One thing wrong with a value. */
export interface Mutation {
  /** `/checks/0/scope: a number`. */
  name: string;
  /** Where it is wrong (RFC 6901). */
  pointer: string;
  /** The whole value, as JSON: some of these can be written, but not be held by JavaScript. */
  json: string;
}

/** Longer than any column of a row, shorter than any limit of a body. */
const HUGE_TEXT = 'x'.repeat(100_000);
export const ODD_TEXT = '\u00bf not of this form \u2603';
const OF_TYPE: readonly (readonly [type: string, name: string, json: string])[] = [
  ['null', 'null', 'null'],
  ['boolean', 'a boolean', 'true'],
  ['integer', 'a number', '7'],
  ['string', 'a text', '"text"'],
  ['array', 'an array', '[]'],
  ['object', 'an object', '{}'],
];
/** Refused wherever a text may stand. */
const BAD_TEXTS: readonly (readonly [name: string, json: string])[] = [
  ['a NUL', String.raw`"a\u0000b"`],
  ['half a character', String.raw`"a\ud800b"`],
  ['a huge text', JSON.stringify(HUGE_TEXT)],
];
const BAD_NUMBERS: readonly (readonly [name: string, json: string])[] = [
  ['a huge number', '1e308'],
  ['a number beyond all', '1e999'],
  ['a number of many digits', '9'.repeat(400)],
  ['a negative number', '-1'],
  ['a fraction', '1.5'],
];

/**
 * Everything that can be wrong with one member of a value, one at a time: missing, of another type, outside of its form,
 * unknown, or reaching for a prototype.
 */
export function mutationsOf(document: ApiDocument, schema: Schema): Mutation[] {
  const sample = JSON.stringify(sampleOf(document, schema));
  return [...valueMutations(document, schema, sample, '', (json) => json)];
}

/** Puts a changed part, as JSON, into the whole. */
type Embed = (json: string) => string;

function* valueMutations(
  document: ApiDocument,
  given: Schema,
  sample: string,
  pointer: string,
  embed: Embed,
): Generator<Mutation> {
  const schema = document.resolve(given);
  const mutation = (name: string, json: string): Mutation => ({
    name: `${pointer || 'the body'}: ${name}`,
    pointer,
    json: embed(json),
  });
  const types = typesOf(document, schema);
  const takes = (type: string) =>
    types.length === 0 || types.includes(type) || (type === 'integer' && types.includes('number'));

  for (const [type, name, json] of OF_TYPE) if (!takes(type)) yield mutation(name, json);
  if (takes('string')) yield* BAD_TEXTS.map(([name, json]) => mutation(name, json));
  if (!fits(schema, ODD_TEXT)) yield mutation('a text of another form', JSON.stringify(ODD_TEXT));
  if (types.includes('integer')) {
    yield* BAD_NUMBERS.map(([name, json]) => mutation(name, json));
  }
  const shape = [schema, ...choicesOf(schema).map((each) => document.resolve(each))].find(
    (each) => each.properties !== undefined,
  );
  if (shape !== undefined) yield* objectMutations(document, shape, sample, pointer, embed);
  if (schema.items !== undefined && !Array.isArray(schema.items)) {
    yield* arrayMutations(document, schema, sample, pointer, embed);
  }
}

/** Whether a text is of the form that the schema states, if it states one that no free text has. */
export function fits(
  { format, pattern, enum: members, const: constant }: Schema,
  text: string,
): boolean {
  const fixed = [members, constant].flat().filter((member) => typeof member === 'string');
  if (fixed.length > 0) return false;
  if (pattern !== undefined) return new RegExp(pattern as string, 'u').test(text);
  return format === undefined || format === 'password';
}

function* objectMutations(
  document: ApiDocument,
  schema: Schema,
  sample: string,
  pointer: string,
  embed: Embed,
): Generator<Mutation> {
  const members = JSON.parse(sample) as Record<string, unknown>;
  const required = new Set((schema.required ?? []) as string[]);
  const whole = (changed: object, more = '') =>
    embed(`${JSON.stringify(changed).slice(0, -1)}${comma(changed, more)}${more}}`);

  for (const [name, member] of propertiesOf(schema)) {
    const { [name]: value, ...others } = members;
    const here = `${pointer}/${name}`;
    if (required.has(name)) {
      yield { name: `${here}: missing`, pointer: here, json: whole(others) };
    }
    const text = JSON.stringify(value);
    const embedMember: Embed = (json) => whole(others, `${JSON.stringify(name)}:${json}`);
    yield* valueMutations(document, member, text, here, embedMember);
  }
  if (schema.additionalProperties === false) {
    for (const name of UNKNOWN) {
      const more = `${JSON.stringify(name)}:{"prototype":{"admin":true}}`;
      yield {
        name: `${pointer}/${name}: unknown`,
        pointer: `${pointer}/${name}`,
        json: whole(members, more),
      };
    }
  }
}
const UNKNOWN = ['nobody_knows_this', '__proto__', 'constructor', 'prototype', 'toString', ''];

function* arrayMutations(
  document: ApiDocument,
  schema: Schema,
  sample: string,
  pointer: string,
  embed: Embed,
): Generator<Mutation> {
  const [first] = JSON.parse(sample) as unknown[];
  yield* valueMutations(
    document,
    schema.items as Schema,
    JSON.stringify(first),
    `${pointer}/0`,
    (json) => embed(`[${json}]`),
  );
  const { maxItems } = schema;
  const count = typeof maxItems === 'number' ? maxItems + 1 : 0;
  if (count > 0 && count <= 10_000) {
    yield {
      name: `${pointer}: too many items`,
      pointer,
      json: embed(JSON.stringify(Array<unknown>(count).fill(first))),
    };
  }
}

function comma(members: object, more: string): string {
  return more !== '' && Object.keys(members).length > 0 ? ',' : '';
}
