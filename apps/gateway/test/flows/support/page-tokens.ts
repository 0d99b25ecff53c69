import { type ApiDocument, type Operation } from './openapi/api-document.ts';
import { parametersIn, samplePath } from './openapi/bad-targets.ts';

/** Operations that give pages, of everything and not of one thing. */
export function listsOf(document: ApiDocument): Operation[] {
  return document.operations.filter(
    (operation) =>
      operation.method === 'GET' &&
      parametersIn(operation, 'path').length === 0 &&
      parametersIn(operation, 'query').some(({ name }) => name === 'page_token'),
  );
}

/** The list with a page token that it did not give: altered, cut, or padded. */
export function forgedPages(document: ApiDocument, list: Operation, token: string): string[] {
  const path = samplePath(document, list);
  const middle = Math.floor(token.length / 2);
  const forged = [
    ...[0, middle, token.length - 1].map((index) => flipped(token, index)),
    token.slice(0, -4),
    token.slice(4),
    `${token}AAAA`,
    `${token}=`,
    ` ${token}`,
    Buffer.from('["2026-01-01","00000000-0000-7000-8000-000000000000"]').toString('base64url'),
    'e30',
    '__proto__',
  ];
  return forged.map((each) => `${path}?page_size=1&page_token=${encodeURIComponent(each)}`);
}

/** Another character at that place, which changes the bytes it stands for. */
function flipped(token: string, index: number): string {
  const other = token.charAt(index) === 'A' ? 'Q' : 'A';
  return `${token.slice(0, index)}${other}${token.slice(index + 1)}`;
}
