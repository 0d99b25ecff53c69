import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { PackageRegistry } from '@gatehouse/testing';

/** A folder a package. */
export const PACKAGES = fileURLToPath(new URL('../../../dist/packages/', import.meta.url));

/** Everything that a release publishes, as the `package` targets laid it out. */
export const publishedPackages = (): Promise<PackageRegistry> =>
  PackageRegistry.of(
    '@gatehouse',
    readdirSync(PACKAGES).map((folder) => `${PACKAGES}${folder}`),
  );
