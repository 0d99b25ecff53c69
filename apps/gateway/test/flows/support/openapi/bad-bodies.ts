import type { ApiDocument, Body } from './api-document.ts';
import type { BadRequest } from './bad-request.ts';
import { mutationsOf } from './schema-mutations.ts';
import { propertiesOf, sampleOf } from './schema-samples.ts';

export type BadBody = Pick<BadRequest, 'body' | 'chunked' | 'pointers' | 'statuses'> & {
  name: string;
  contentType?: string;
  headers?: Record<string, string>;
};

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
/** More than any route of the platform takes by default. */
const OVERSIZED = 1024 * 1024 + 1;

/** Everything that can be wrong with the body of an operation that takes one. */
export function badBodies(document: ApiDocument, { mediaType, schema }: Body): BadBody[] {
  const sample = sampleOf(document, schema);
  if (mediaType === FORM_TYPE) {
    return [...badForms(document, document.resolve(schema), sample), ...badFraming(mediaType)];
  }
  if (mediaType !== JSON_TYPE) return badFraming(mediaType);
  const mutated = mutationsOf(document, schema).map(({ name, pointer, json }) => ({
    name,
    body: Buffer.from(json),
    // Of a union every choice may be named, and of a list its first wrong item.
    pointers: [pointer],
    statuses: [400, 422],
  }));
  return [...mutated, ...badJson(sample), ...badFraming(mediaType)];
}

/** What an operation that takes no body is sent. */
export function unwantedBodies(): BadBody[] {
  return [
    { name: 'malformed JSON', body: Buffer.from('{"a":'), statuses: [400, 415] },
    { name: 'deep JSON', body: deep(10_000), statuses: [400, 415] },
    {
      name: 'XML',
      body: Buffer.from('<a/>'),
      contentType: 'application/xml',
      statuses: [415],
    },
  ];
}

function badJson(sample: unknown): BadBody[] {
  const text = JSON.stringify(sample);
  const bytes: [string, Buffer | string][] = [
    ['no body', ''],
    ['blank', '   '],
    ['cut short', text.slice(0, -1)],
    ['more than one value', `${text}${text}`],
    ['a comma too many', text.replace(/}$/, ',}')],
    ['single quotes', text.replaceAll('"', "'")],
    ['a comment', `/* */${text}`],
    ['NaN', '{"a":NaN}'],
    ['not JSON', 'null and void'],
    ['a NUL byte', `${text}\0`],
    ['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)])],
    ['UTF-16', Buffer.from(text, 'utf16le')],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28, 0x22, 0x7d])]),
    ],
    [
      'overlong UTF-8',
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0xaf, 0x22, 0x7d])]),
    ],
    ['10,000 arrays deep', deep(10_000)],
    ['10,000 objects deep', '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)],
    ['10,000 opened and never closed', '['.repeat(10_000)],
  ];
  return bytes.map(([name, body]) => ({ name, body: Buffer.from(body), statuses: [400] }));
}

function badForms(document: ApiDocument, schema: object, sample: unknown): BadBody[] {
  const fields = Object.entries(sample as Record<string, unknown>).map(
    ([name, value]) => [name, String(value)] as [string, string],
  );
  const form = (entries: [string, string][]) => new URLSearchParams(entries).toString();
  const required = (schema as { required?: string[] }).required ?? [];
  const bad: [string, string | Buffer][] = [
    ['no body', ''],
    ['a form of JSON', JSON.stringify(sample)],
    ['__proto__', `${form(fields)}&__proto__=1`],
    ['invalid UTF-8', Buffer.concat([Buffer.from(form(fields)), Buffer.from([0x26, 0xff, 0x3d])])],
    ...required.map((name): [string, string] => [
      `${name} missing`,
      form(fields.filter(([other]) => other !== name)),
    ]),
    ...propertiesOf(schema as never).flatMap(([name]): [string, string][] => [
      [`${name} twice`, `${form(fields)}&${form(fields.filter(([other]) => other === name))}`],
      [`${name} with a NUL`, form([...without(fields, name), [name, 'a\0b']])],
      [`${name} huge`, form([...without(fields, name), [name, 'x'.repeat(100_000)]])],
    ]),
  ];
  return bad.map(([name, body]) => ({ name, body: Buffer.from(body), statuses: [400, 401, 413] }));
}

function without(fields: [string, string][], name: string): [string, string][] {
  return fields.filter(([other]) => other !== name);
}

/** What is wrong before anybody reads the body's text. */
function badFraming(mediaType: string): BadBody[] {
  const body = Buffer.from('{}');
  const media = (name: string, contentType: string | undefined): BadBody => ({
    name,
    body,
    ...(contentType === undefined ? { headers: { 'content-type': '' } } : { contentType }),
    statuses: [415],
  });
  const oversized = Buffer.alloc(OVERSIZED, ' ');
  return [
    media('plain text', 'text/plain'),
    media('XML', 'application/xml'),
    media('another +json', 'application/vnd.api+json'),
    media('no media type', undefined),
    media('a media type that is none', 'json'),
    media('many media types', 'application/json, text/plain'),
    media('UTF-16 by its charset', `${mediaType}; charset=utf-16`),
    { ...media('compressed', mediaType), headers: { 'content-encoding': 'gzip' } },
    { name: 'oversized', body: oversized, contentType: mediaType, statuses: [413] },
    {
      name: 'oversized, of no stated length',
      body: oversized,
      contentType: mediaType,
      chunked: true,
      statuses: [413],
    },
  ];
}

function deep(levels: number): Buffer {
  return Buffer.from('['.repeat(levels) + ']'.repeat(levels));
}
