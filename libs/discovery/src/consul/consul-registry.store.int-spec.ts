import { describeWithEngines, ENGINES_START_MS } from '@gatehouse/testing';
import { jest } from '@jest/globals';
import { contractServices, registryStoreContract } from '../testing/registry-store.contract.ts';
import { SecuredConsul } from '../testing/secured-consul.ts';
import { ConsulClient } from './consul.client.ts';
import { ConsulRegistryStore, DIRECTORY_KEY } from './consul-registry.store.ts';

jest.setTimeout(30_000);

describeWithEngines(['consul'], () => {
  registryStoreContract(
    'Consul',
    async () => {
      const consul = await SecuredConsul.start(contractServices);
      return {
        open: (service) => new ConsulRegistryStore(consul.optionsOf(service)),
        writeDirectory: async (_serial, document) => {
          await consul.admin.request('PUT', `/v1/kv/${DIRECTORY_KEY}`, { body: document });
        },
        writeDirectoryAs: async (service, _serial, document) => {
          const client = new ConsulClient(consul.optionsOf(service));
          try {
            await client.request('PUT', `/v1/kv/${DIRECTORY_KEY}`, { body: document });
          } finally {
            await client.close();
          }
        },
        loseRows: () => consul.deregisterAll(),
        close: () => consul.end(),
      };
    },
    ENGINES_START_MS,
  );
});
