/** JSON with the members of each object in order, so that equal values have equal text. Absent and undefined are alike. */
export function canonicalJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  }) as string | undefined;
  return text ?? 'null';
}
