import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = fileURLToPath(new URL('../../../../dist/packages/', import.meta.url));

/** Everything that a release publishes, a folder a package, as the `package` targets laid it out. */
export const PUBLISHED = readdirSync(PACKAGES).map((name) => join(PACKAGES, name));

/** That of all of them: they are released together. */
export const VERSION = (
  JSON.parse(readFileSync(join(PACKAGES, 'nx-plugin/package.json'), 'utf8')) as { version: string }
).version;

/** What `nx release` makes of it after a commit that users care about. */
export const NEXT = VERSION.replace(/\d+$/, (patch) => String(Number(patch) + 1));

/** The same packages as the next release publishes them: of one new version, which they ask of each other. */
export function nextRelease(folder: string): string[] {
  return PUBLISHED.map((from) => {
    const to = join(folder, from.slice(PACKAGES.length));
    cpSync(from, to, { recursive: true });
    const file = join(to, 'package.json');
    const text = readFileSync(file, 'utf8');
    const released = text.replaceAll(
      new RegExp(`("version"|"@gatehouse/[\\w-]+"): "${VERSION}"`, 'g'),
      `$1: "${NEXT}"`,
    );
    writeFileSync(file, released);
    return to;
  });
}
