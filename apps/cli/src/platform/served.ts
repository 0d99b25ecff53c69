import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, isRunning, type ProcessIdentity } from '@gatehouse/launcher';

/**
 * Says to the launcher that `gatehouse serve` runs this service itself: the launcher's own instance stands aside, so that
 * every request meets the code that is being edited.
 * @returns what takes it back; a process that is gone counts as taken back
 */
export function serveInstead(folder: string, service: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${service}.json`);
  writeFileSync(file, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** The services that somebody else runs right now. */
export function servedElsewhere(folder: string): Set<string> {
  let files: string[];
  try {
    files = readdirSync(folder);
  } catch {
    return new Set();
  }
  return new Set(
    files
      .filter((file) => file.endsWith('.json') && isHeld(join(folder, file)))
      .map((file) => file.slice(0, -'.json'.length)),
  );
}

function isHeld(file: string): boolean {
  try {
    return isRunning(JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity);
  } catch {
    return false;
  }
}
