import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { noteIn } from '../terminal/notes.ts';

export interface OwnCommandOptions {
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** Told each note as it is printed. */
  onNote?: (note: string) => void;
}

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/**
 * Runs another `gatehouse` command to its end, in a process of its own: the libraries that provisioning needs do not stay
 * in the launcher's memory, and they start no slower there.
 * @returns what it printed, without its notes; @throws with that, where it fails
 */
export async function ownCommand(
  args: readonly string[],
  { env = process.env, signal, onNote = () => undefined }: OwnCommandOptions = {},
): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(signal && { signal }),
  });
  const { stdout, stderr, code } = await finished(child, onNote);
  if (code !== 0) {
    const what = stderr.trim() || stdout.trim() || `exit code ${code ?? '?'}`;
    throw new Error(`gatehouse ${args[0] ?? ''}: ${what.replace(/^gatehouse: /, '')}`);
  }
  return stdout;
}

async function finished(
  child: ChildProcess,
  onNote: (note: string) => void,
): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const lines: string[] = [];
  let stderr = '';
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const note = noteIn(line);
      if (note === undefined) lines.push(line);
      else onNote(note);
    });
  }
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { stdout: lines.join('\n'), stderr, code };
}
