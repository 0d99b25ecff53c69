import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const WORKSPACE = join(import.meta.dirname, '..', '..', '..');

export function read(file: string): string {
  return readFileSync(join(WORKSPACE, file), 'utf8');
}
