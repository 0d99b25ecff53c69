/** What stands in a place now. */
export interface StoredDirectory {
  /** 0 where there is none. */
  serial: number;
  document?: string | undefined;
  /** What `write` compares with: whoever wrote in between changed it. */
  revision: string;
}

/** Where the provisioner keeps the signed directory; only its credential can write there. */
export interface DirectoryPlace {
  read(): Promise<StoredDirectory>;
  /** Replaces what was read. @returns false where somebody else has written since, and nothing was changed */
  write(document: string, serial: number, over: StoredDirectory): Promise<boolean>;
  close(): Promise<void>;
}

/** The serial a signed directory states, unverified; 0 where it states none. */
export function statedSerial(document: string): number {
  try {
    const { serial } = JSON.parse(
      Buffer.from(document.split('.')[1] ?? '', 'base64url').toString(),
    ) as { serial?: unknown };
    return Number.isSafeInteger(serial) ? Number(serial) : 0;
  } catch {
    return 0;
  }
}
