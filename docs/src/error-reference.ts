import type { PlatformErrorClass } from '@gatehouse/contracts-platform';
import { PlatformError } from '@gatehouse/contracts-platform';
import { statusOf } from '@gatehouse/kernel';

import { commentsOf, contractOf, CORE_CONTRACTS, exportsOf, filesAt } from './sources.ts';
import { code, table } from './table.ts';

const OWN = filesAt(`${CORE_CONTRACTS}/src/errors.ts`);
const COMMON = 'libs/contracts/platform/src/errors/common-errors.ts';

/** `docs/reference/errors.md`: every error class of every contract. */
export async function errorReference(): Promise<string> {
  const sections = [
    `## Of any process\n\n${await rowsOf(COMMON)}`,
    ...(await Promise.all(
      OWN.map(async (file) => `## Of ${contractOf(file)}\n\n${await rowsOf(file)}`),
    )),
  ];
  return `# Error codes

<!-- Written by \`npm run docs:reference\` from the error classes of the contracts. -->

A problem (RFC 9457) carries its \`code\`; its \`type\`, \`/problems/<code in kebab-case>\`, is a page of the gateway. A gRPC answer
carries the same code as the \`reason\` of its ErrorInfo. Codes are never renamed or reused.

${sections.join('\n\n')}
`;
}

async function rowsOf(file: string): Promise<string> {
  const comments = commentsOf(file);
  const classes = Object.values(await exportsOf(file)).filter(isErrorClass);
  const rows = classes.map((errorClass) => [
    code(errorClass.code),
    String(statusOf(errorClass.kind)),
    [errorClass.title, comments.get(errorClass.name)].filter(Boolean).join('. '),
  ]);
  return table(['Code', 'HTTP status', 'Meaning'], rows);
}

function isErrorClass(exported: unknown): exported is PlatformErrorClass {
  return typeof exported === 'function' && exported.prototype instanceof PlatformError;
}
