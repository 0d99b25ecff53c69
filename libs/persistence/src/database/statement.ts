/** A statement as a span shows it: without any value. */
export interface Statement {
  /** Literals are taken out; parameters (`$1`) are no values. At most 2,000 characters. */
  text: string;
  /** `SELECT`, `INSERT`, ... */
  operation: string;
  /** The one table it is about; undefined where there are several, or none can be told. */
  collection: string | undefined;
  /** `INSERT users`: names the span. */
  summary: string;
}

const MAX_TEXT = 2_000;
/** Statements of a service are few; a text built anew each time is not kept. */
const MAX_KNOWN = 2_000;
const known = new Map<string, Statement>();

/** What PostgreSQL takes as a literal or a comment; quoted names and parameters are matched to be left alone. */
const LITERALS =
  /("(?:[^"]|"")*"|\$\d+)|e'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|(\$\w*\$)[\s\S]*?\2|--[^\n]*|\/\*[\s\S]*?\*\/|(?<![\w$.])\d+(?:\.\d+)?(?:e[+-]?\d+)?\b/gi;
const TABLE =
  /\b(?:FROM|INTO|UPDATE|JOIN|TABLE)\s+(?:ONLY\s+)?(?:LATERAL\s+)?((?:"[^"]+"|[a-z_]\w*)(?:\.(?:"[^"]+"|[a-z_]\w*))?)(\s*\()?/gi;
const NOT_TABLES = new Set(['unnest', 'generate_series', 'select', 'set', 'nothing', 'only']);

export function describeStatement(sql: string): Statement {
  let statement = known.get(sql);
  if (statement === undefined) {
    statement = read(sql);
    if (known.size < MAX_KNOWN) known.set(sql, statement);
  }
  return statement;
}

function read(sql: string): Statement {
  const text = sql
    .replace(LITERALS, (literal, name?: string) => {
      if (name !== undefined) return name;
      return literal.startsWith('--') || literal.startsWith('/*') ? ' ' : '?';
    })
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_TEXT);
  const operation = /^[a-z]+/i.exec(text)?.[0].toUpperCase() ?? 'OTHER';
  const tables = tablesIn(text, operation);
  const collection = tables.length === 1 ? tables[0] : undefined;
  const summary = [operation, ...tables.slice(0, 3)].join(' ');
  return { text, operation, collection, summary };
}

/** In order, each once; a name that WITH defines is none. */
function tablesIn(text: string, operation: string): string[] {
  const defined = new Set<string>();
  if (operation === 'WITH') {
    for (const [, name = ''] of text.matchAll(
      /(?:\bWITH|,)\s+(?:RECURSIVE\s+)?(\w+)(?:\s*\([^)]*\))?\s+AS\b/gi,
    )) {
      defined.add(name.toLowerCase());
    }
  }
  const tables = new Set<string>();
  for (const match of text.matchAll(TABLE)) {
    const table = (match[1] ?? '').replaceAll('"', '');
    const isCall = match[2] !== undefined && !/^INTO/i.test(match[0]);
    const plain = table.toLowerCase();
    if (!isCall && !defined.has(plain) && !NOT_TABLES.has(plain)) tables.add(table);
  }
  return [...tables];
}
