import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One service's credentials as files: folder 0700, files 0600, each replaced in one step. */
export class CredentialFiles {
  constructor(private readonly folder: string) {}

  async open(): Promise<this> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await chmod(this.folder, 0o700);
    return this;
  }

  async read(name: string): Promise<string | undefined> {
    try {
      return (await readFile(join(this.folder, name), 'utf8')).trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async write(name: string, value: string): Promise<void> {
    const file = join(this.folder, name);
    const draft = `${file}.${randomBytes(4).toString('hex')}`;
    await writeFile(draft, `${value}\n`, { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
  }

  /** Writes what `make` gives, unless the file exists: then that is kept. */
  async keep(name: string, make: () => string): Promise<string> {
    const existing = await this.read(name);
    if (existing !== undefined) return existing;
    const value = make();
    await this.write(name, value);
    return value;
  }

  /**
   * The URL of a role: the password of an existing file is kept, the address is the server's of today
   * (an embedded server may have moved to another port).
   * @param rotate a new password in any case
   */
  async databaseUrl(
    name: string,
    adminUrl: string,
    role: string,
    newPassword: () => string,
    rotate = false,
  ): Promise<{ password: string }> {
    const existing = await this.read(name);
    const kept = existing === undefined || rotate ? undefined : passwordIn(existing);
    const password = kept ?? newPassword();
    const url = new URL(adminUrl);
    url.username = encodeURIComponent(role);
    url.password = encodeURIComponent(password);
    if (existing !== url.href) await this.write(name, url.href);
    return { password };
  }
}

function passwordIn(url: string): string | undefined {
  return URL.canParse(url) ? decodeURIComponent(new URL(url).password) || undefined : undefined;
}
