import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Whole or not at all, mode 0600 from its first byte. */
export async function writeCredential(folder: string, name: string, value: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, name);
  await rm(`${file}.new`, { force: true });
  await writeFile(`${file}.new`, value, { mode: 0o600, flag: 'wx' });
  await rename(`${file}.new`, file);
}

/** What the file holds, or what `make` gives, written first: where there is none, or another is wanted. */
export async function credentialIn(
  folder: string,
  name: string,
  { make, rotate }: { make: () => string; rotate: boolean },
): Promise<string> {
  if (!rotate) return keepCredential(folder, name, make);
  const value = make();
  await writeCredential(folder, name, value);
  return value;
}

/** What the file holds; where there is none, what `make` gives, which is written first. */
export async function keepCredential(
  folder: string,
  name: string,
  make: () => string,
): Promise<string> {
  const stored = await readFile(join(folder, name), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (stored !== undefined) return stored.trim();
  const value = make();
  await writeCredential(folder, name, value);
  return value;
}
