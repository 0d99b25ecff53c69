import canonicalize from 'canonicalize';

/**
 * JSON Canonicalization Scheme (RFC 8785): equal values have equal text. Lone surrogates, which no UTF-8 text can hold,
 * become U+FFFD; members that are undefined are left out; what has `toJSON` (dates) is what that says; undefined itself
 * is null.
 * @throws TypeError for what JSON does not have: bigint, functions, cycles, numbers that are not finite
 */
export function canonicalJson(value: unknown): string {
  try {
    return canonicalize(writable(value, [])) ?? 'null';
  } catch (error) {
    throw error instanceof TypeError ? error : new TypeError((error as Error).message);
  }
}

/** The library refuses lone surrogates, and leaves out what `JSON.stringify` leaves out. */
function writable(value: unknown, within: readonly object[]): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') {
    throw new TypeError(`a ${typeof value} is not JSON`);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (within.includes(value)) throw new TypeError('a cycle is not JSON');
  const inside = [...within, value];
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return writable((value as { toJSON(): unknown }).toJSON(), inside);
  }
  if (Array.isArray(value)) return value.map((item) => writable(item ?? null, inside));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.toWellFormed(), writable(member, inside)]),
  );
}
