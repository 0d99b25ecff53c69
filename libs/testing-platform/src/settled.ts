import { GATEWAY } from '@gatehouse/launcher';
import { eventually } from '@gatehouse/testing';
import type { Instance } from './instance.ts';

/** Whose stream a view of the guards follows. */
const SOURCES = { revocations: 'auth', grants: 'authz' };

/**
 * Waits until the processes know of each other. Each is ready by itself, so that none waits for another at its start: for
 * a moment the gateway may have no route of a service, and a service answer 503 because it has not heard from Authz yet.
 */
export async function settled(instances: ReadonlyMap<string, readonly Instance[]>): Promise<void> {
  const views = Object.entries(SOURCES)
    .filter(([, source]) => instances.has(source))
    .map(([view]) => view);
  const all = [...instances.values()].flat();
  await Promise.all([
    ...all.map(({ adminUrl }) => eventually(() => hears(adminUrl, views), PATIENCE)),
    ...(instances.get(GATEWAY) ?? []).map(({ adminUrl }) =>
      eventually(() => routes(adminUrl, instances), PATIENCE),
    ),
  ]);
}

const PATIENCE = { timeoutMs: 30_000, intervalMs: 50 };

/** Every view has been read whole once. */
async function hears(adminUrl: string, views: readonly string[]): Promise<boolean> {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
  return views.every((view) => {
    const name = `guards_view_staleness_seconds{view="${view}"} `;
    const line = metrics.split('\n').find((each) => each.startsWith(name));
    return line !== undefined && Number.isFinite(Number(line.slice(name.length)));
  });
}

/** Every instance of every service that is routed at all is in rotation. */
async function routes(
  adminUrl: string,
  instances: ReadonlyMap<string, readonly Instance[]>,
): Promise<boolean> {
  const { services } = (await (await fetch(`${adminUrl}/routes`)).json()) as {
    services: { service: string; versions: { instances: number }[] }[];
  };
  return services.every(({ service, versions }) => {
    const serving = versions.reduce((sum, version) => sum + version.instances, 0);
    return serving >= (instances.get(service)?.length ?? 0);
  });
}
