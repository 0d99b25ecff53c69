import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Whole or not at all, mode 0600 from its first byte. */
export async function writeCredential(folder: string, name: string, value: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, name);
  await rm(`${file}.new`, { force: true });
  await writeFile(`${file}.new`, value, { mode: 0o600, flag: 'wx' });
  await rename(`${file}.new`, file);
}
