import { isUtf8 } from 'node:buffer';

import { ValidationFailed } from '@gatehouse/contracts-platform';

import { escapePointer, textProblem } from './json-rules.ts';

/**
 * Reads a form (`application/x-www-form-urlencoded`). A name that comes twice becomes an array, which no schema of a single
 * value takes (RFC 6749 section 3.2: parameters must not be repeated).
 * @throws ValidationFailed
 */
export function parseForm(body: Buffer): Record<string, string | string[]> {
  if (!isUtf8(body)) throw new ValidationFailed('The body is not UTF-8.');
  const form: Record<string, string | string[]> = Object.create(null) as typeof form;
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    const problem = name === '__proto__' ? 'This member is not allowed' : textProblem(name + value);
    if (problem !== undefined) {
      throw new ValidationFailed(undefined, {
        violations: [{ pointer: `/${escapePointer(name)}`, message: problem }],
      });
    }
    const known = form[name];
    form[name] = known === undefined ? value : [known, value].flat();
  }
  return form;
}
