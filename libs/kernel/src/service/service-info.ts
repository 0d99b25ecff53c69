import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { z } from 'zod';

import { currentScope } from '../config/process-scope.ts';
import { newId } from '../context/new-id.ts';

const PackageJson = z.object({
  version: z.string().min(1),
  gatehouse: z.object({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
    prefixes: z.array(z.string().startsWith('/')).default([]),
    namespace: z.string().min(1).optional(),
  }),
});

/** Who this process is: the `gatehouse` member of the package.json nearest above its main file. */
export class ServiceInfo {
  readonly name: string;
  readonly version: string;
  /** UUIDv7, new at each start. */
  readonly instanceId = newId();
  /** First part of its permissions' names. */
  readonly namespace: string;
  /** The paths it may serve through the gateway. */
  readonly prefixes: readonly string[];
  readonly packageDir: string;

  constructor() {
    const { dir, json } = findPackage(currentScope().packageDir);
    const parsed = PackageJson.safeParse(json);
    if (!parsed.success) {
      throw new Error(
        `${join(dir, 'package.json')} does not describe a service: ${z.prettifyError(parsed.error)}`,
      );
    }
    const { version, gatehouse } = parsed.data;
    this.packageDir = dir;
    this.version = version;
    this.name = gatehouse.name;
    this.namespace = gatehouse.namespace ?? gatehouse.name;
    this.prefixes = Object.freeze(gatehouse.prefixes);
  }
}

function findPackage(start: string): { dir: string; json: unknown } {
  for (let dir = resolve(start); ; dir = dirname(dir)) {
    try {
      return { dir, json: JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      if (dir === dirname(dir)) {
        throw new Error(`there is no package.json at or above ${start}`, { cause: error });
      }
    }
  }
}
