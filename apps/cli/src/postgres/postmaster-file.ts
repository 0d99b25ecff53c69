import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf, identify, type ProcessIdentity } from '@gatehouse/launcher';

/**
 * `postmaster.pid` of a data folder: which server runs on it. Lines: pid, data folder, start time, port, socket folder,
 * address, shared memory, status (PostgreSQL, src/include/utils/pidfile.h).
 */
export class PostmasterFile {
  private readonly file: string;

  constructor(private readonly dataFolder: string) {
    this.file = join(dataFolder, 'postmaster.pid');
  }

  /** The server that runs on this folder: alive, and not another program that got its pid. */
  server(): ProcessIdentity | undefined {
    const pid = this.pid();
    if (pid === undefined || !this.isServer(pid)) return undefined;
    return identify(pid);
  }

  /**
   * Where the pid in it is another program's by now, PostgreSQL would take that for a running server and refuse to
   * start. Its own parent's pid it takes for a stale one, and still checks, as it should, that no worker of the
   * old server is attached to its shared memory: so this process's pid is put there.
   */
  disownStrangers(): void {
    const pid = this.pid();
    if (pid === undefined || identify(pid) === undefined || this.isServer(pid)) return;
    const [, ...rest] = readFileSync(this.file, 'utf8').split('\n');
    writeFileSync(this.file, [process.pid, ...rest].join('\n'));
  }

  private pid(): number | undefined {
    try {
      const pid = Math.abs(Number(readFileSync(this.file, 'utf8').split('\n')[0]));
      return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
    } catch {
      return undefined;
    }
  }

  private isServer(pid: number): boolean {
    const command = commandOf(pid) ?? '';
    return (
      command.includes('postgres') &&
      [this.dataFolder, realpathSync(this.dataFolder)].some((path) => command.includes(path))
    );
  }
}
