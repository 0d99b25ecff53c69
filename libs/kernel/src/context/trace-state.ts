const MAX_MEMBERS = 32;
/** What every party must pass on at least (section 3.3.1.5); more is cut by whole members. */
const MAX_LENGTH = 512;
const LARGE_MEMBER = 128;

const KEY = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * `tracestate` as it is passed on, several fields joined by commas (W3C Trace Context, section 3.3): members in their
 * order, of a key the first. One that cannot be read, or has more than 32 members, is dropped whole; one that is too long
 * loses its large members first, then those at its end.
 */
export function passedOnState(field: string | undefined): string | undefined {
  if (field === undefined || field === '') return undefined;
  const members = new Map<string, string>();
  let count = 0;
  for (const part of field.split(',')) {
    const member = part.replaceAll(/^[ \t]+|[ \t]+$/g, '');
    if (member === '') continue;
    count += 1;
    const at = member.indexOf('=');
    const key = member.slice(0, Math.max(at, 0));
    if (count > MAX_MEMBERS || !KEY.test(key) || !VALUE.test(member.slice(at + 1)))
      return undefined;
    if (!members.has(key)) members.set(key, member);
  }
  const kept = fitting([...members.values()]);
  return kept.length === 0 ? undefined : kept.join(',');
}

function fitting(members: string[]): string[] {
  const length = () => members.reduce((sum, member) => sum + member.length + 1, -1);
  for (let index = members.length - 1; index >= 0 && length() > MAX_LENGTH; index -= 1) {
    if ((members[index] ?? '').length > LARGE_MEMBER) members.splice(index, 1);
  }
  while (length() > MAX_LENGTH) members.pop();
  return members;
}
