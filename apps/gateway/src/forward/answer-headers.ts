import { isDroppedFromAnswer } from '../request/header-classes.ts';

/** The headers of a service's answer as undici gives them: names in lower case. */
export type AnswerHeaders = Record<string, string | string[] | undefined>;

/** What of a service's answer goes out: everything but hop-by-hop headers and what the gateway says itself. */
export function outwardHeaders(headers: AnswerHeaders): string[] {
  const listed = listedIn(headers.connection);
  const outward: string[] = [];
  for (const name in headers) {
    if (isDroppedFromAnswer(name) || listed?.has(name) === true) continue;
    const value = headers[name];
    if (typeof value === 'string') outward.push(name, value);
    else if (value !== undefined) for (const one of value) outward.push(name, one);
  }
  return outward;
}

/** RFC 9110 section 7.6.1. Nearly always `keep-alive`, which needs no set. */
function listedIn(connection: string | string[] | undefined): Set<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') {
    return undefined;
  }
  return new Set(
    String(connection)
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  );
}
