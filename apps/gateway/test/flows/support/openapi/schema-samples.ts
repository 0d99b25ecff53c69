import type { ApiDocument, Schema } from './api-document.ts';

/** A value that the schema takes: what is changed in one place to be wrong there and nowhere else. */
export function sampleOf(document: ApiDocument, given: Schema): unknown {
  const schema = document.resolve(given);
  if (schema.const !== undefined) return schema.const;
  const written = schema.example ?? (schema.examples as unknown[] | undefined)?.[0];
  if (written !== undefined) return written;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const [choice] = choicesOf(schema);
  if (choice !== undefined) return sampleOf(document, choice);
  switch (typesOf(document, schema)[0]) {
    case 'object':
      return sampleObject(document, schema);
    case 'array':
      return Array.from({ length: Math.max(1, Number(schema.minItems ?? 1)) }, () =>
        sampleOf(document, (schema.items ?? { type: 'string' }) as Schema),
      );
    case 'integer':
    case 'number':
      return Math.max(1, Number(schema.minimum ?? 1));
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return sampleText(schema);
  }
}

/** JSON types that the schema names, `integer` apart from `number`; none where it takes anything. */
export function typesOf(document: ApiDocument, given: Schema): string[] {
  const schema = document.resolve(given);
  if (schema.type !== undefined) return [schema.type].flat() as string[];
  const constants = schema.const === undefined ? schema.enum : [schema.const];
  if (Array.isArray(constants)) return [...new Set(constants.map(typeOfValue))];
  const parts = (schema.allOf as Schema[] | undefined)?.slice(0, 1) ?? choicesOf(schema);
  return [...new Set(parts.flatMap((part) => typesOf(document, part)))];
}

export function choicesOf(schema: Schema): Schema[] {
  return (schema.anyOf ?? schema.oneOf ?? []) as Schema[];
}

export function propertiesOf(schema: Schema): [string, Schema][] {
  return Object.entries((schema.properties ?? {}) as Record<string, Schema>);
}

/** Every member, the optional ones too: each is a place to be wrong in. */
function sampleObject(document: ApiDocument, schema: Schema): Record<string, unknown> {
  return Object.fromEntries(
    propertiesOf(schema).map(([name, member]) => [name, sampleOf(document, member)]),
  );
}

const FORMATS: Readonly<Record<string, string>> = {
  uuid: '01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11',
  email: 'somebody@example.com',
  'date-time': '2026-11-23T06:15:00.000Z',
  uri: 'https://app.example/',
  password: 'a sentence nobody would guess 7',
};

function sampleText({ format, pattern, minLength, maxLength }: Schema): string {
  const known = FORMATS[String(format)];
  if (known !== undefined) return known;
  const candidates = ['sample', 'auth.session.read', 'platform', '01980e3a', 'A1'];
  const fits = (text: string) =>
    (pattern === undefined || new RegExp(pattern as string, 'u').test(text)) &&
    text.length <= Number(maxLength ?? Infinity);
  const found = candidates.find(fits) ?? 'sample';
  return found.padEnd(Number(minLength ?? 0), 'a');
}

function typeOfValue(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
