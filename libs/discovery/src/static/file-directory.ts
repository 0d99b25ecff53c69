import { readFile, rename, writeFile } from 'node:fs/promises';
import {
  type DirectoryPlace,
  statedSerial,
  type StoredDirectory,
} from '../publishing/directory.place.ts';

/** The directory in a file, such as one that becomes a ConfigMap. One provisioner at a time. */
export class FileDirectory implements DirectoryPlace {
  constructor(private readonly file: string) {}

  async read(): Promise<StoredDirectory> {
    const document = await readDirectoryFile(this.file);
    if (document === undefined) return { serial: 0, revision: '' };
    return { serial: statedSerial(document), document, revision: document };
  }

  /** Replaced as a whole: a reader sees the one or the other. */
  async write(document: string, _serial: number, over: StoredDirectory): Promise<boolean> {
    if (((await readDirectoryFile(this.file)) ?? '') !== over.revision) return false;
    const next = `${this.file}.next`;
    await writeFile(next, `${document}\n`, { mode: 0o644 });
    await rename(next, this.file);
    return true;
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }
}

/** The directory that stands in the file; undefined where there is no such file. @throws where it cannot be read */
export async function readDirectoryFile(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
