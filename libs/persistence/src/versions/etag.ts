import { PreconditionFailed, ValidationFailed } from '@gatehouse/contracts-platform';

/** Version 7 as a strong entity tag: `"7"` (RFC 9110, 8.8.3). */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/** A version that no row has: what an entity tag of another form stands for. */
const NO_VERSION = -1;

/**
 * The version an `If-Match` field asks for (RFC 9110, 13.1.1); undefined where there is no field or it is `*`.
 * A weak tag, or one that is none of ours, never matches.
 * @throws ValidationFailed for what is no entity tag, and for a list
 */
export function versionOfIfMatch(field: string | undefined): number | undefined {
  const text = field?.trim();
  if (text === undefined || text === '*') return undefined;
  const match = /^(W\/)?"([^"]*)"$/.exec(text);
  if (!match) {
    throw new ValidationFailed(undefined, {
      violations: [{ pointer: '/header/if-match', message: 'must be one entity tag, such as "7"' }],
    });
  }
  const [, weak, tag = ''] = match;
  return !weak && /^(0|[1-9]\d{0,14})$/.test(tag) ? Number(tag) : NO_VERSION;
}

/** @throws PreconditionFailed when a version is expected and it is not this one */
export function checkVersion(expected: number | undefined, actual: number): void {
  if (expected === undefined || expected === actual) return;
  throw new PreconditionFailed('It was changed meanwhile: read it again', {
    metadata: { current_etag: etagOf(actual) },
  });
}
