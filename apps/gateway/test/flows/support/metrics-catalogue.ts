import { readFile } from 'node:fs/promises';

export interface Family {
  type: string;
  /** Label names, sorted; `le` is the histogram's own. */
  labels: string[];
}

export interface DocumentedFamily extends Family {
  /** Only where it is configured, or once it has happened. */
  conditional: boolean;
}

const ROW = /^\| `(\w+)`\s*\| (\w+)\s*\| ([^|]*)\|[^|]*\| (.*?)\s*\|$/gm;

/** The tables of docs/metrics.md, by name of the metric. */
export async function documentedMetrics(): Promise<Map<string, DocumentedFamily>> {
  const page = await readFile(new URL('../../../../../docs/metrics.md', import.meta.url), 'utf8');
  return new Map(
    [...page.matchAll(ROW)].map(([, name = '', type = '', labels = '', text = '']) => [
      name,
      {
        type,
        labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).sort(),
        conditional: text.endsWith('*'),
      },
    ]),
  );
}

/** The families of scrapes in the text format, by name; labels are those of any of their samples. */
export function exposedMetrics(scrapes: readonly string[]): Map<string, Family> {
  const families = new Map<string, { type: string; labels: Set<string> }>();
  for (const scrape of scrapes) {
    let family = { type: '', labels: new Set<string>() };
    for (const line of scrape.split('\n')) {
      const [, name, type = ''] = /^# TYPE (\w+) (\w+)$/.exec(line) ?? [];
      if (name !== undefined) {
        family = families.get(name) ?? { type, labels: new Set() };
        families.set(name, family);
      } else if (line !== '' && !line.startsWith('#')) {
        for (const [, label = ''] of line.matchAll(/[{,](\w+)="/g)) family.labels.add(label);
      }
    }
  }
  return new Map(
    [...families].map(([name, { type, labels }]) => [
      name,
      { type, labels: [...labels].filter((label) => label !== 'le').sort() },
    ]),
  );
}
