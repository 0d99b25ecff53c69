/** Deep enough for facts about an action; what walks them recursively is safe. */
const MAX_DEPTH = 64;

/** Says what is wrong with metadata, in words for its sender. */
export class MetadataRefused extends Error {}

/**
 * The JSON object in a text, with nothing in it that canonical JSON (RFC 8785) cannot write: lone surrogates become
 * U+FFFD. The empty text is the empty object.
 * @throws MetadataRefused
 */
export function parseMetadata(text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text === '' ? '{}' : text);
  } catch {
    throw new MetadataRefused('Not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new MetadataRefused('Not a JSON object');
  }
  return writable(parsed, 1) as Record<string, unknown>;
}

function writable(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number' && !Number.isFinite(value)) {
    // 1e400 is JSON, and read it is Infinity, which is not.
    throw new MetadataRefused('Holds a number that is larger than any double');
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) throw new MetadataRefused(`Nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return value.map((item) => writable(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name.toWellFormed(),
      writable(member, depth + 1),
    ]),
  );
}
