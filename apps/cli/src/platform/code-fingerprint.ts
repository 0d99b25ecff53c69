import { createHash } from 'node:crypto';
import { existsSync, globSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a service would run: its own built code and that of every library of the workspace. A schema that this very code
 * has migrated needs no migration, which spares each start a run of every service.
 */
export class CodeFingerprint {
  private readonly libraries: string;

  constructor(workspace: string) {
    this.libraries = hashOf(
      [
        ...globSync('libs/{*,contracts/*}/dist', { cwd: workspace }),
        ...installed(workspace).map((dir) => `${dir}/dist`),
      ].map((dir) => join(workspace, dir)),
    );
  }

  of(service: { mainFile: string }): string {
    return createHash('sha256')
      .update(this.libraries)
      .update(hashOf([join(service.mainFile, '..')]))
      .digest('hex');
  }
}

/** The platform's packages, where they are not projects of this very workspace. */
function installed(workspace: string): string[] {
  return globSync('node_modules/@gatehouse/*', { cwd: workspace }).filter(
    (dir) => !lstatSync(join(workspace, dir)).isSymbolicLink(),
  );
}

function hashOf(folders: string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders.sort()) {
    if (!existsSync(folder)) continue;
    for (const file of globSync('**/*.{js,json,sql}', { cwd: folder }).sort()) {
      hash.update(`${file}\0`).update(readFileSync(join(folder, file)));
    }
  }
  return hash.digest('hex');
}
