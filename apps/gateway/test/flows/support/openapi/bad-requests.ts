import type { ApiDocument, Operation } from './api-document.ts';
import { badBodies, type BadBody, unwantedBodies } from './bad-bodies.ts';
import type { BadRequest } from './bad-request.ts';
import { badPaths, badQueries, parametersIn, samplePath } from './bad-targets.ts';
import { sampleOf } from './schema-samples.ts';

const BAD_FIELDS: Readonly<Record<string, readonly string[]>> = {
  'if-match': ['7', '"7', '"1", "2"', 'W/', "'7'", '\u00ff', '"a" or 1=1', `"${'9'.repeat(4_000)}`],
  'idempotency-key': ['a b', 'a"b', String.raw`a\b`, 'x'.repeat(256), '\u00ff', '""', '{}[]"'],
};
/** A condition that any version meets, so that the call fails for another reason than it. */
const GOOD_FIELDS: Readonly<Record<string, string>> = { 'if-match': '*' };

/** Every wrong request that the operation's description suggests, each wrong in one way. */
export function badRequestsFor(document: ApiDocument, operation: Operation): BadRequest[] {
  const target = samplePath(document, operation);
  const [body] = operation.bodies;
  const good = goodHeaders(operation);
  const sample =
    body?.mediaType === 'application/json'
      ? Buffer.from(JSON.stringify(sampleOf(document, body.schema)))
      : undefined;
  const withSample = sample !== undefined && { body: sample };
  const base = { operation: operation.name, method: operation.method };
  const named = (name: string) => `${operation.name}: ${name}`;

  const bodies: BadBody[] = body === undefined ? unwantedBodies() : badBodies(document, body);
  const headers = {
    ...good,
    ...(sample !== undefined && { 'content-type': 'application/json' }),
  };
  return [
    ...bodies.map(({ name, contentType, headers: more, ...rest }) => ({
      ...base,
      ...rest,
      name: named(name),
      target,
      headers: {
        ...good,
        'content-type': contentType ?? body?.mediaType ?? 'application/json',
        ...more,
      },
    })),
    ...[...badPaths(document, operation), ...badQueries(document, operation)].map((bad) => ({
      ...base,
      ...bad,
      ...withSample,
      name: named(bad.name),
      headers,
    })),
    ...parametersIn(operation, 'header').flatMap((field) => {
      const name = field.name.toLowerCase();
      return (BAD_FIELDS[name] ?? []).map((value) => ({
        ...base,
        ...withSample,
        name: named(`${name} is ${value.slice(0, 20)}`),
        target,
        headers: { ...headers, [name]: value },
        pointers: [`/header/${name}`],
        statuses: [400],
      }));
    }),
  ];
}

function goodHeaders(operation: Operation): Record<string, string> {
  return Object.fromEntries(
    parametersIn(operation, 'header')
      .filter(({ required }) => required)
      .map(({ name }) => [name.toLowerCase(), GOOD_FIELDS[name.toLowerCase()] ?? 'text']),
  );
}
