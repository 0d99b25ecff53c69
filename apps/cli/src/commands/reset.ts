import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { endProcess, isRunning } from '@gatehouse/launcher';
import { AlreadyRunning, takeLauncherLock } from '../data/launcher-lock.ts';
import { stateFile } from '../data/platform-state.ts';
import { Cluster } from '../postgres/cluster.ts';
import { CommandError, openContext } from './context.ts';

export interface ResetOptions {
  yes?: boolean;
}

/** Deletes everything that the platform of this data folder has, after asking. */
export async function reset({ yes = false }: ResetOptions): Promise<void> {
  const { folder } = openContext();
  if (!folder.exists) {
    console.log(`There is nothing to delete: ${folder.path} does not exist.`);
    return;
  }
  if (stateFile(folder).read()?.profile === 'scale') {
    throw new CommandError(
      `the data of this platform are in the engines of DATABASE_URL and others, and ${folder.path} holds the keys to read them: nothing was deleted`,
    );
  }
  const foreign = folder.foreignFiles();
  if (foreign.length > 0) {
    throw new CommandError(
      `${folder.path} holds files that are not the platform's (${foreign.slice(0, 3).join(', ')}): nothing was deleted`,
    );
  }
  try {
    takeLauncherLock(folder.lock());
  } catch (error) {
    if (!(error instanceof AlreadyRunning)) throw error;
    throw new CommandError(`${error.message}: stop it first (Ctrl-C where it runs)`);
  }
  if (!yes && !(await confirmed(folder.path))) {
    rmSync(folder.lock(), { force: true });
    throw new CommandError('nothing was deleted');
  }
  const left = Object.values(stateFile(folder).read()?.services ?? {}).filter(isRunning);
  await Promise.all(left.map((service) => endProcess(service, { graceMs: 10_000 })));
  await Cluster.stopLeftOver(folder.postgres());
  rmSync(folder.path, { recursive: true, force: true });
  console.log(`Deleted ${folder.path}.`);
}

async function confirmed(path: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new CommandError('there is no terminal to ask on: say `npm run reset -- --yes`');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(
      `This deletes ${path}: all users, roles, audit entries and keys. Type "yes" to go on: `,
    );
    return answer.trim().toLowerCase() === 'yes';
  } finally {
    terminal.close();
  }
}
