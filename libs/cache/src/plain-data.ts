import { deserialize, serialize } from 'node:v8';

/** A value was given to a cache that would not come out of it as it went in. */
export class NotPlainData extends TypeError {
  override readonly name = 'NotPlainData';

  constructor(cache: string, where: string, what: string) {
    super(
      `cache ${cache}: ${where} is ${what}; a cache holds plain data only (objects, arrays, Map, Set, Date, primitives)`,
    );
  }
}

/**
 * Bytes that {@link decode} turns into an equal value: a copy, so that nobody changes what is cached, and the same
 * whether a store is in this process or not.
 * @throws NotPlainData for instances of classes (entities), functions, symbols and binary data
 */
export function encode(cache: string, value: unknown): Uint8Array {
  assertPlain(cache, value, 'the value', new Set());
  return serialize(value);
}

export function decode(bytes: Uint8Array): unknown {
  return deserialize(bytes) as unknown;
}

function assertPlain(cache: string, value: unknown, where: string, seen: Set<object>): void {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new NotPlainData(cache, where, `a ${typeof value}`);
  }
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Date) return;
  if (value instanceof Map || value instanceof Set) {
    const items = value instanceof Map ? [...value.entries()] : [...value];
    items.forEach((item) => assertPlain(cache, item, `${where}[]`, seen));
    return;
  }
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (!Array.isArray(value) && prototype !== null && prototype !== Object.prototype) {
    // Of another realm (a test's), `Object` is still plain.
    const { constructor } = prototype as { constructor?: { name: string } };
    if (constructor?.name !== 'Object' || Object.getPrototypeOf(prototype) !== null) {
      throw new NotPlainData(cache, where, `an instance of ${constructor?.name ?? 'a class'}`);
    }
  }
  for (const [name, member] of Object.entries(value)) {
    assertPlain(cache, member, `${where}.${name}`, seen);
  }
}
