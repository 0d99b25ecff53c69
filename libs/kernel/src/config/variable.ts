import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { currentScope, runInScope } from './process-scope.ts';

/** A file that a variable points to cannot be read. */
export class UnreadableVariable extends Error {}

/**
 * The value of one variable, by the first of these that holds:
 * 1. `NAME`, unless empty;
 * 2. the file that `NAME_FILE` names (it must be readable);
 * 3. `<GATEHOUSE_CREDENTIALS_DIR>/<name-in-kebab-case>`, where that file exists; `GATEHOUSE_SERVICE_KEY` is `service-key`.
 * One line end at a file's end is not part of the value.
 */
export function resolveVariable(name: string): string | undefined {
  const { env } = currentScope();
  const value = env[name];
  if (value !== undefined && value !== '') return value;

  const file = env[`${name}_FILE`];
  if (file !== undefined && file !== '') {
    try {
      return withoutLineEnd(readFileSync(file, 'utf8'));
    } catch (error) {
      throw new UnreadableVariable(`${name}_FILE names a file that cannot be read`, {
        cause: error,
      });
    }
  }

  const folder = env.GATEHOUSE_CREDENTIALS_DIR;
  if (folder === undefined || folder === '') return undefined;
  try {
    return withoutLineEnd(readFileSync(join(folder, fileNameOf(name)), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UnreadableVariable(`the credential file of ${name} cannot be read`, { cause: error });
  }
}

/**
 * A credential that may be changed while the process runs, as `gatehouse provision --rotate` does: each call reads it again,
 * where it is in a file. Who connects asks then, and so needs no restart. A file that cannot be read, or is empty, changes
 * nothing.
 * @param first the value that the configuration was read with
 */
export function followVariable<T extends string | undefined>(name: string, first: T): () => T {
  const scope = currentScope();
  let last = first;
  return () => {
    if (first === undefined) return first;
    try {
      const now = runInScope(scope, () => resolveVariable(name));
      if (now !== undefined && now !== '') last = now as T;
    } catch {
      // being replaced, or gone: the last one may still hold
    }
    return last;
  };
}

function fileNameOf(variable: string): string {
  return variable
    .replace(/^GATEHOUSE_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
