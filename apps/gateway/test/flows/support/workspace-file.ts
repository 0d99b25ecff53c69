import { join } from 'node:path';

/** @param path from the root of the workspace */
export function workspaceFile(path: string): string {
  return join(import.meta.dirname, '..', '..', '..', '..', '..', path);
}
