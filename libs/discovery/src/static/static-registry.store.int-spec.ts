import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@gatehouse/testing';
import { contractServices, registryStoreContract } from '../testing/registry-store.contract.ts';
import { StaticRegistryStore } from './static-registry.store.ts';

registryStoreContract('static addresses', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-static-'));
  const directoryFile = join(folder, 'directory.jws');
  const places = new Map<string, { host: string; port: number }[]>();
  for (const service of contractServices)
    places.set(service, [{ host: '127.0.0.1', port: await freePort() }]);
  const stores = new Map<string, StaticRegistryStore>();
  return {
    open: (service) => {
      const listen = places.get(service)?.[0] ?? { host: '127.0.0.1', port: 0 };
      const store = new StaticRegistryStore({ service, places, listen, directoryFile });
      stores.set(service, store);
      return store;
    },
    notices: false,
    writeDirectory: (_serial, document) => writeFile(directoryFile, `${document}\n`),
    writeDirectoryAs: () => Promise.reject(new Error('a store has no way to write it')),
    loseRows: async () => {
      for (const store of stores.values())
        for (const { service, instanceId } of await store.list())
          await stores.get(service)?.remove(service, instanceId);
    },
    close: () => rm(folder, { recursive: true }),
  };
});
