import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listServices } from '@gatehouse/launcher';
import { CommandError } from '../commands/context.ts';
import type { Gateway } from './gateway.ts';

/**
 * The services that serve their events to operators: those the gateway knows, and those of this workspace that are on the
 * bus, which may be away.
 * @throws CommandError where one that is asked for is not among them
 */
export async function servicesOnBus(
  gateway: Gateway,
  workspace: string,
  wanted?: readonly string[],
): Promise<string[]> {
  const { paths = {} } = await gateway.get<{ paths?: Record<string, object> }>('/openapi.json');
  const served = Object.keys(paths).flatMap(
    (path) => /^\/v1\/([^/{}]+)\/events\/topics$/.exec(path)?.[1] ?? [],
  );
  const known = [...new Set([...served, ...ofWorkspace(workspace)])].sort();
  if (wanted === undefined) return known;
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new CommandError(`no service "${unknown}" has events; there are: ${known.join(', ')}`);
  }
  return known.filter((name) => wanted.includes(name));
}

function ofWorkspace(workspace: string): string[] {
  return listServices(workspace)
    .filter(({ dir, database }) => {
      // Without a database there is neither outbox nor inbox, and nothing to serve.
      if (!database) return false;
      const json = readFileSync(join(dir, 'package.json'), 'utf8');
      const { dependencies = {} } = JSON.parse(json) as { dependencies?: object };
      return '@gatehouse/event-bus' in dependencies;
    })
    .map(({ name }) => name);
}
