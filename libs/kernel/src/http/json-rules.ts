import { isUtf8 } from 'node:buffer';

import { MalformedJson, ValidationFailed } from '@gatehouse/contracts-platform';

/** Objects and arrays within one another; nobody's request needs more, and what walks a body recursively is safe. */
export const MAX_JSON_DEPTH = 64;

/** Only text with one of these can hold a forbidden member, a NUL, half a character or a number beyond every double. */
const SUSPICIOUS = /__proto__|constructor|\\u|[eE]\+?\d{3}|\d{300}/;

/**
 * Reads a JSON body (RFC 8259). An empty one is `undefined`. Refused besides what is not JSON: bytes that are not UTF-8,
 * nesting beyond MAX_JSON_DEPTH, members that reach a prototype (`__proto__`, `constructor.prototype`), strings that no
 * column can hold (NUL, a lone surrogate), and numbers that no double can (1e400).
 * @throws MalformedJson, ValidationFailed
 */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new MalformedJson('The body is not UTF-8.');
  refuseDeepNesting(body);
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's own words repeat a piece of the body, which may be a secret.
    throw new MalformedJson('The body is not JSON.', { cause: new Error((error as Error).name) });
  }
  if (SUSPICIOUS.test(text)) refuseUnsafeMembers(value, '');
  return value;
}

/** Counts brackets outside strings before anything is built. */
function refuseDeepNesting(body: Buffer): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < body.length; index++) {
    const byte = body[index];
    if (inString) {
      if (byte === 0x5c /* \ */) index++;
      else if (byte === 0x22 /* " */) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b /* { */ || byte === 0x5b /* [ */) {
      if (++depth > MAX_JSON_DEPTH) {
        throw new MalformedJson(`The body is nested deeper than ${MAX_JSON_DEPTH} levels.`);
      }
    } else if (byte === 0x7d /* } */ || byte === 0x5d /* ] */) depth--;
  }
}

function refuseUnsafeMembers(value: unknown, pointer: string): void {
  if (typeof value === 'string') {
    const problem = textProblem(value);
    if (problem !== undefined) {
      throw new ValidationFailed(undefined, { violations: [{ pointer, message: problem }] });
    }
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const message = 'The number is larger than any double';
    throw new ValidationFailed(undefined, { violations: [{ pointer, message }] });
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    const here = `${pointer}/${escapePointer(name)}`;
    const reachesPrototype =
      name === '__proto__' ||
      (name === 'constructor' &&
        typeof member === 'object' &&
        member !== null &&
        Object.hasOwn(member, 'prototype'));
    if (reachesPrototype) {
      throw new ValidationFailed('The body has a member that is never allowed.', {
        violations: [{ pointer: here, message: 'This member is not allowed' }],
      });
    }
    if (textProblem(name) !== undefined) {
      throw new MalformedJson('A member name holds a character that is not allowed.');
    }
    refuseUnsafeMembers(member, here);
  }
}

/** What is wrong with a text that cannot be stored as UTF-8 text. */
export function textProblem(text: string): string | undefined {
  if (text.includes('\0')) return 'The character U+0000 is not allowed';
  if (!text.isWellFormed()) return 'The text holds half a character (a lone surrogate)';
  return undefined;
}

/** RFC 6901 section 3. */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
