import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const WORKSPACE = join(import.meta.dirname, '..', '..', '..');

export function read(file: string): string {
  return readFileSync(join(WORKSPACE, file), 'utf8');
}

/** Every variable that some configuration of the code declares. */
export function declaredVariables(): Set<string> {
  const files = globSync('{apps,libs}/*/src/**/*.config.ts', { cwd: WORKSPACE });
  return new Set(
    files.flatMap((file) =>
      [...read(file).matchAll(/^ {2}([A-Z][A-Z0-9_]+): /gm)].map(([, name = '']) => name),
    ),
  );
}

/** Variables that a process takes from its environment without a configuration class. */
export const OTHER_VARIABLES = new Set([
  'GATEHOUSE_CREDENTIALS_DIR', // libs/kernel/src/config/variable.ts
  'GATEHOUSE_ADMIN_EMAIL', // apps/cli/src/commands/bootstrap.ts
  'NODE_ENV',
  'MALLOC_MMAP_THRESHOLD_', // glibc
]);
