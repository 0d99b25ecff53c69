import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * The outermost folder above `path` that a user with no rights of their own may not pass through; what does not exist
 * yet counts by the folder it will be made in.
 */
export function barrierTo(path: string): string | undefined {
  const above: string[] = [];
  for (let dir = dirname(resolve(path)); ; dir = dirname(dir)) {
    above.unshift(dir);
    if (dir === dirname(dir)) break;
  }
  return above.find((dir) => existsSync(dir) && (statSync(dir).mode & 0o001) === 0);
}

/** @throws naming the folder, and the two ways out */
export function refuseUnreachable(paths: readonly string[]): void {
  for (const path of paths) {
    const barrier = barrierTo(path);
    if (barrier === undefined) continue;
    throw new Error(
      `PostgreSQL refuses to run as root and runs as the user \`postgres\`, who may not pass through ${barrier} to ${path}.\n` +
        `Let others pass (chmod o+x ${barrier}), or run as another user, or from another folder.`,
    );
  }
}
