import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '@gatehouse/kernel';
import { runningLauncher } from '../data/launcher-lock.ts';
import { stateFile } from '../data/platform-state.ts';
import { built, nodeVersion, permissions, ports, postgresPrograms } from './machine.ts';
import { type Place, unknown } from './place.ts';
import { examineReachability } from './reachability.ts';
import { examineServices } from './services.ts';

/** What belongs together, under a heading. */
export interface Section {
  title: string;
  findings: Finding[];
}

/** Looks at everything a start needs, and where a platform runs, at that. Changes nothing. */
export async function examine(where: Omit<Place, 'state'>): Promise<Section[]> {
  const { folder, profile } = where;
  const running = runningLauncher(folder.lock()) !== undefined;
  const place: Place = { ...where, state: running ? stateFile(folder).read() : undefined };
  const machine = [
    ...(await look(() => [nodeVersion(process.versions.node)])),
    ...(profile === 'embedded' ? await look(() => postgresPrograms(folder)) : []),
    ...(await look(() => built(place))),
    ...(await look(() => permissions(place))),
    ...(await look(() => ports(place))),
  ];
  return [{ title: 'This machine', findings: machine }, ...(await examinePlatform(place))];
}

async function examinePlatform(place: Place): Promise<Section[]> {
  const { folder, profile, state } = place;
  if (profile === 'embedded' && !state) {
    const what =
      'engines, clock, schemas, keys and reachability: no platform runs here, look again once `npm start` does';
    return [{ title: 'The platform', findings: [unknown(what)] }];
  }
  // Without what it says about a wrong environment there is nothing to connect to.
  const { examineShared } = await import('./shared.ts');
  try {
    const adminUrl =
      profile === 'embedded'
        ? readFileSync(join(folder.credentials('platform'), 'database-url'), 'utf8').trim()
        : undefined;
    const { engines, clocks, schema, keys, instances } = await examineShared(place, adminUrl);
    const services = await look(() => examineServices(place));
    const reachability = instances
      ? await look(() => examineReachability(place, instances))
      : [unknown('reachability: the registry cannot be read')];
    return [
      { title: 'Engines', findings: engines },
      { title: 'Clock', findings: clocks },
      { title: 'Schemas and keys', findings: [...schema, ...keys, ...services] },
      { title: 'Reachability', findings: reachability },
    ];
  } catch (error) {
    return [{ title: 'Engines', findings: [problemOf(error)] }];
  }
}

async function look(at: () => Promise<Finding[]> | Finding[]): Promise<Finding[]> {
  try {
    return await at();
  } catch (error) {
    return [problemOf(error)];
  }
}

function problemOf(error: unknown): Finding {
  return { state: 'problem', what: (error as Error).message };
}
