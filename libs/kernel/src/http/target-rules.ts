import { ValidationFailed } from '@gatehouse/contracts-platform';

/**
 * Refuses a request target whose escapes are not UTF-8 (`%ff`), or that holds a NUL: whoever decodes it later would have to
 * guess. Path and query alike; a path is the router's to refuse where its escapes are broken.
 * @throws ValidationFailed
 */
export function checkTarget(url: string): void {
  if (!url.includes('%') && !url.includes('__proto__')) return;
  const [path, query] = split(url);
  for (const parameter of query.split('&')) {
    const [rawName = '', rawValue = ''] = parameter.split('=', 2);
    const name = decode(rawName);
    const value = decode(rawValue);
    if (name === '__proto__') throw refused('/query/__proto__', 'This parameter is not allowed');
    if (name === undefined || value === undefined) {
      throw refused('/query', 'A parameter is not percent-encoded UTF-8');
    }
    if (`${name}${value}`.includes('\0')) {
      throw refused(`/query/${name.replaceAll('\0', '')}`, 'The character U+0000 is not allowed');
    }
  }
  if (path.includes('%00')) throw refused('/path', 'The character U+0000 is not allowed');
}

function split(url: string): [string, string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function refused(pointer: string, message: string): ValidationFailed {
  return new ValidationFailed(undefined, { violations: [{ pointer, message }] });
}
