import type { ApiDocument, Operation, Parameter } from './api-document.ts';
import type { BadRequest } from './bad-request.ts';
import { fits, ODD_TEXT } from './schema-mutations.ts';
import { sampleOf, typesOf } from './schema-samples.ts';

export type BadTarget = Pick<BadRequest, 'name' | 'target' | 'pointers' | 'statuses'>;

/** Escaped as they go on the wire; none is an id or a name of anything. */
const BAD_IDS: readonly (readonly [name: string, text: string])[] = [
  ['a word', 'Not-An-Id'],
  ['a number', '-1'],
  ['SQL', '%27%20OR%201%3D1--'],
  ['a NUL', 'a%00b'],
  ['a slash', 'a%2fb'],
  ['a way up', '..%2f..'],
  ['a backslash', 'a%5cb'],
  ['bytes that are not UTF-8', '%ff%fe'],
  ['half a character', '%ED%A0%80'],
  ['an escape that is none', '%zz'],
  ['a huge text', 'a'.repeat(4_000)],
  ['__proto__', '__proto__'],
  ['braces', '%7Bid%7D'],
  ['white space', '%20'],
  ['a snowman', '%E2%98%83'],
];

/** The path of an operation with sample values, which name nothing that is there. */
export function samplePath(document: ApiDocument, operation: Operation): string {
  return pathOf(operation, (parameter) => encodeURIComponent(sampleText(document, parameter)));
}

/** Its path with each parameter in turn being what it cannot be. */
export function badPaths(document: ApiDocument, operation: Operation): BadTarget[] {
  return parametersIn(operation, 'path').flatMap((wrong) =>
    BAD_IDS.map(([name, text]) => ({
      name: `{${wrong.name}} is ${name}`,
      target: pathOf(operation, (each) =>
        each === wrong ? text : encodeURIComponent(sampleText(document, each)),
      ),
      statuses: [400, 404, 414],
    })),
  );
}

/** Its query with each parameter in turn being what it cannot be, or with one more. */
export function badQueries(document: ApiDocument, operation: Operation): BadTarget[] {
  const declared = parametersIn(operation, 'query');
  const path = samplePath(document, operation);
  // Who declares no query does not read it.
  if (declared.length === 0) return [];
  const bad = declared.flatMap((parameter) =>
    badValues(document, parameter).map(([name, text]) => ({
      name: `?${parameter.name} is ${name}`,
      target: `${path}?${parameter.name}=${text}`,
      pointers: [`/query/${parameter.name}`],
      statuses: [400],
    })),
  );
  const more = [
    'nobody_knows_this=1',
    '__proto__=1',
    '__proto__[admin]=1',
    'constructor=1',
    '%ff=1',
  ];
  return [
    ...bad,
    ...more.map((text) => ({ name: `?${text}`, target: `${path}?${text}`, statuses: [400] })),
  ];
}

function badValues(document: ApiDocument, { name, schema }: Parameter): [string, string][] {
  const types = typesOf(document, schema);
  const resolved = document.resolve(schema);
  const always: [string, string][] = [
    ['a NUL', 'a%00b'],
    ['bytes that are not UTF-8', '%ff'],
    ['half a character', '%ED%A0%80'],
    ['a huge text', 'x'.repeat(8_000)],
    ['there twice', `1&${name}=2`],
  ];
  const numbers = ['abc', '', '1.5', '-1', '0x10', '1e309', '9'.repeat(40), 'NaN', '%20'];
  if (types.some((type) => type === 'integer' || type === 'number')) {
    return [...always, ...numbers.map((text): [string, string] => [`'${text}'`, text])];
  }
  const isFree = name !== 'page_token' && fits(resolved, ODD_TEXT);
  return isFree ? always : [...always, ['of another form', encodeURIComponent(ODD_TEXT)]];
}

function sampleText(document: ApiDocument, { schema }: Parameter): string {
  return String(sampleOf(document, schema));
}

function pathOf({ path, parameters }: Operation, text: (parameter: Parameter) => string): string {
  return path.replaceAll(/\{([^}]+)\}/g, (_all, name: string) => {
    const parameter = parameters.find((each) => each.in === 'path' && each.name === name);
    if (parameter === undefined) throw new Error(`${path} does not declare {${name}}`);
    return text(parameter);
  });
}

export function parametersIn(operation: Operation, place: Parameter['in']): Parameter[] {
  return operation.parameters.filter((parameter) => parameter.in === place);
}
