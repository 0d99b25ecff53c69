import { table } from '../terminal/table.ts';
import { type Answers, describe } from './ask-all.ts';
import { EXIT } from './gateway.ts';
import type { View } from './views.ts';

/** For machines: every item under its service, and who did not answer. */
export function printJson<T>({ answers, problems }: Answers<T[]>): void {
  const services = answers.map(({ service, answer: items }) => ({ service, items }));
  console.log(JSON.stringify({ services, problems }, null, 2));
}

/** For people: a table, then who did not answer. Exit code 2 where somebody did not. */
export function print<T>(found: Answers<T[]>, view: View<T>, options: { json?: boolean }): void {
  if (options.json) {
    printJson(found);
  } else {
    const rows = found.answers.flatMap(({ service, answer }) =>
      answer.map((item) => [service, ...view.row(item)].map(printable)),
    );
    const heads = ['SERVICE', ...view.heads];
    console.log(rows.length === 0 ? 'none' : table(heads, rows).join('\n'));
  }
  complain(found);
}

export function complain({ problems }: Answers<unknown>): void {
  for (const problem of problems) process.stderr.write(`gatehouse: ${describe(problem)}\n`);
  if (problems.length > 0) process.exitCode = EXIT.partly;
}

/** Keys and reasons come from outside: a terminal must not obey them. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '�');
}
