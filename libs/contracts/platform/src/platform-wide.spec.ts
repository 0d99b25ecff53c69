import { readdir } from 'node:fs/promises';

import { describe, expect, it } from '@jest/globals';

import { ErrorRegistry } from './errors/error-registry.ts';
import type { EventCatalogue } from './events/event-catalogue.ts';

const contracts = new URL('../../', import.meta.url);

/** Every contract project, found in the tree: nothing here names a service. */
async function exported<T>(file: string, suffix: string): Promise<[service: string, value: T][]> {
  const folders = await readdir(contracts, { withFileTypes: true });
  const services = folders
    .filter((folder) => folder.isDirectory() && folder.name !== 'platform')
    .map((folder) => folder.name);
  return Promise.all(
    services.map(async (service): Promise<[string, T]> => {
      const url = new URL(`${service}/src/${file}`, contracts).href;
      const names = (await import(url)) as Record<string, T>;
      const name = Object.keys(names).find((key) => key.endsWith(suffix)) ?? '';
      return [service, names[name] as T];
    }),
  );
}

describe('the contracts together', () => {
  it('use every error code for one error', async () => {
    const registries = await exported<ErrorRegistry>('errors.ts', 'Errors');
    expect(registries.length).toBeGreaterThan(0);
    // Merging refuses a code that two classes claim.
    expect(() => ErrorRegistry.merge(...registries.map(([, registry]) => registry))).not.toThrow();
  });

  it('give every event type to one service', async () => {
    const catalogues = await exported<EventCatalogue>('events.ts', 'Events');
    for (const [service, catalogue] of catalogues) expect(catalogue.service).toBe(service);
    const types = catalogues.flatMap(([, catalogue]) => catalogue.types);
    expect(new Set(types).size).toBe(types.length);
  });
});
