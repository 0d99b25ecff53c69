import { readFileSync, writeFileSync } from 'node:fs';
import { summaryTable } from './report.js';

const DOCUMENT = new URL('../../../docs/reliability.md', import.meta.url);

/** Puts the results where the document has the mark of their profile, in place of those of the last time. */
export function record(report) {
  const [begin, end] = ['begin', 'end'].map(
    (each) => `<!-- results ${report.profile}: ${each} -->`,
  );
  const text = readFileSync(DOCUMENT, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/reliability.md has no "${begin}"`);
  const results = `${begin}\n\n${headOf(report)}\n\n${summaryTable(report.rows)}\n\n`;
  writeFileSync(DOCUMENT, text.slice(0, from) + results + text.slice(to));
}

function headOf({ date, form, rate, machine, seconds }) {
  const { cores, memory_gib: memory, node } = machine;
  return `${date.slice(0, 10)}, ${form} form, ${rate} journeys a second, on ${cores} cores with ${memory} GiB, Node ${node}; ${seconds} s.`;
}
