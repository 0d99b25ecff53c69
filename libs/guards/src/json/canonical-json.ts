/**
 * JSON Canonicalization Scheme (RFC 8785): members ordered by UTF-16 code units, no white space, numbers and strings as
 * ECMAScript writes them. Lone surrogates, which no UTF-8 text can hold, become U+FFFD. Members that are undefined are
 * left out; dates are RFC 3339.
 * @throws TypeError for what JSON does not have (bigint, cycles, numbers that are not finite)
 */
export function canonicalJson(value: unknown): string {
  return write(value, []);
}

function write(value: unknown, within: readonly object[]): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.toWellFormed());
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} is not a JSON number`);
      return JSON.stringify(value);
    case 'boolean':
      return JSON.stringify(value);
    case 'object':
      return value === null ? 'null' : writeObject(value, within);
    default:
      throw new TypeError(`a ${typeof value} is not JSON`);
  }
}

function writeObject(value: object, within: readonly object[]): string {
  if (within.includes(value)) throw new TypeError('a cycle is not JSON');
  const inside = [...within, value];
  if (value instanceof Date) return JSON.stringify(value.toISOString());
  if (Array.isArray(value))
    return `[${value.map((item) => write(item ?? null, inside)).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name.toWellFormed())}:${write(member, inside)}`);
  return `{${members.join(',')}}`;
}
