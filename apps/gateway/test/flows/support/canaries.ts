import { isSecretName } from '@gatehouse/kernel';
import type { ApiDocument, Operation, Schema } from './openapi/api-document.ts';
import { goodRequest } from './openapi/good-request.ts';
import { propertiesOf, sampleOf } from './openapi/schema-samples.ts';
import type { WireRequest } from './openapi/wire.ts';

/** Breaks a line, colours what follows and begins a line of its own, wherever it is shown as it is. */
const NASTY = '\r\n{"level":"fatal","msg":"forged"}\u001b[31m\u2028\u0085';
/** Where a client may put words of its own, apart from its body; sent together as far as none keeps others from being read. */
const HEADERS: readonly (readonly string[])[] = [
  [
    'proxy-authorization',
    'x-forwarded-host',
    'forwarded',
    'traceparent',
    'tracestate',
    'baggage',
    'user-agent',
    'referer',
    'accept-language',
    'if-none-match',
    'x-password',
    'x-anything',
  ],
  ['accept', 'origin', 'if-match', 'idempotency-key'],
  ['authorization'],
  ['cookie'],
  ['x-api-key'],
  ['gatehouse-via'],
];

/** Words that are sent once each, so that wherever one turns up it is known how it got in. */
export class Canaries {
  private readonly sent = new Map<string, { where: string; secret: boolean }>();

  /** @param secret whether it stands where a secret belongs */
  make(where: string, secret: boolean): string {
    const word = `canary${this.sent.size.toString(36).padStart(4, '0')}x7Qz`;
    this.sent.set(word, { where, secret });
    return word;
  }

  get count(): number {
    return this.sent.size;
  }

  /** Where those came from that stand in a text. */
  in(text: string, { secretOnly = false } = {}): string[] {
    const words = new Set(text.match(/canary[0-9a-z]{4,}x7Qz/g));
    return [...words]
      .map((word) => this.sent.get(word) ?? { where: `nowhere: ${word}`, secret: true })
      .filter(({ secret }) => secret || !secretOnly)
      .map(({ where }) => where);
  }
}

export interface CanaryRequest extends WireRequest {
  name: string;
  /** Whether the caller is to add its own credential. */
  authenticated: boolean;
}

/** Good requests of the operation with canaries in its headers, and one for each text of its body with a canary there. */
export function canaryRequests(
  document: ApiDocument,
  operation: Operation,
  canaries: Canaries,
): CanaryRequest[] {
  const good = goodRequest(document, operation);
  const headers = HEADERS.map((group) => {
    const words = group.map((header): [string, string] => {
      const secret = group.length === 1 || isSecretName(header);
      const word = canaries.make(`${operation.name}: header ${header}`, secret);
      return [header, header.endsWith('authorization') ? `Bearer ${word}` : word];
    });
    return {
      ...good,
      name: `${operation.name}: ${group.join(', ')}`,
      // Alone: a credential beside it would be all that is looked at.
      authenticated: group.length > 1,
      headers: { ...good.headers, ...Object.fromEntries(words) },
    };
  });
  return [...headers, ...bodies(document, operation, good, canaries)];
}

function bodies(
  document: ApiDocument,
  operation: Operation,
  good: WireRequest,
  canaries: Canaries,
): CanaryRequest[] {
  const [body] = operation.bodies;
  if (body === undefined) return [];
  const sample = sampleOf(document, body.schema);
  const isForm = body.mediaType === 'application/x-www-form-urlencoded';
  return [...textsOf(document, body.schema, sample)].flatMap((path) => {
    const field = path.at(-1) ?? '';
    return [(word: string) => word, (word: string) => `${word}${NASTY}`].map((dressed, index) => {
      const name = `${operation.name}: /${path.join('/')}${index === 0 ? '' : ' with controls'}`;
      const word = canaries.make(name, isSecretName(field) || path.some(isSecretName));
      const value = replaced(sample, path, dressed(word));
      const text = isForm
        ? new URLSearchParams(value as Record<string, string>).toString()
        : JSON.stringify(value);
      return { ...good, name, authenticated: true, body: Buffer.from(text) };
    });
  });
}

/** Paths of every text in a sample, the members of unions that the sample has chosen included. */
function* textsOf(
  document: ApiDocument,
  given: Schema,
  sample: unknown,
  path: string[] = [],
): Generator<string[]> {
  if (typeof sample === 'string') yield path;
  if (typeof sample !== 'object' || sample === null) return;
  const known = new Map(propertiesOf(document.resolve(given)));
  for (const [name, member] of Object.entries(sample)) {
    yield* textsOf(document, known.get(name) ?? {}, member, [...path, name]);
  }
}

function replaced(value: unknown, [name, ...rest]: readonly string[], by: string): unknown {
  if (name === undefined) return by;
  if (Array.isArray(value)) {
    return (value as unknown[]).map((item, index) =>
      String(index) === name ? replaced(item, rest, by) : item,
    );
  }
  const members = value as Record<string, unknown>;
  return { ...members, [name]: replaced(members[name], rest, by) };
}
