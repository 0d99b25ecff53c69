/** C0 and C1 controls, DEL, line and paragraph separators: what a terminal may act upon. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/**
 * A line for people at a terminal. pino-pretty shows texts as they are; so that nothing that came from outside moves their
 * cursor or forges a line, control characters are shown as escapes. An error's stack alone keeps its lines.
 */
export async function prettyFormat(): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({ ignore: 'version,instance', singleLine: true, colorize: true });
  return (line) => pretty(shown(JSON.parse(line)));
}

function shown(value: unknown, name = ''): unknown {
  if (typeof value === 'string') {
    return name === 'stack' ? value.split('\n').map(escaped).join('\n') : escaped(value);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => shown(item));
  return Object.fromEntries(
    Object.entries(value).map(([member, inner]) => [escaped(member), shown(inner, member)]),
  );
}

function escaped(text: string): string {
  return text.replace(
    CONTROL,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
