const COLUMNS = [
  'row',
  'verdict',
  'sent',
  'acknowledged',
  'lost',
  'doubled',
  'sent twice',
  'recovered in (s)',
];

/** The table at the end, in Markdown. */
export function summaryTable(results) {
  const lines = results.map((result) => [
    result.name,
    result.verdict === 'skipped' ? `skipped: ${result.why}` : result.verdict,
    ...[result.sent, result.acknowledged, result.lost, result.doubled].map(shown),
    shown(result.repeats_on_the_wire),
    shown(result.recover_s),
  ]);
  const table = [COLUMNS, ...lines];
  const widths = COLUMNS.map((_, column) =>
    Math.max(3, ...table.map((line) => line[column].length)),
  );
  const format = (line) =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [format(COLUMNS), rule, ...lines.map(format)].join('\n');
}

function shown(value) {
  return value === undefined ? '-' : String(value);
}
