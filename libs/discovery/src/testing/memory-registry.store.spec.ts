import { MemoryRegistry, MemoryRegistryStore } from './memory-registry.store.ts';
import { registryStoreContract } from './registry-store.contract.ts';

registryStoreContract('memory (for tests)', () => {
  const registry = new MemoryRegistry();
  return Promise.resolve({
    open: (service) => new MemoryRegistryStore(registry, service),
    writeDirectory: async (_serial, document) => {
      registry.writeDirectory(document);
      await Promise.resolve();
    },
    writeDirectoryAs: () => Promise.reject(new Error('a service has no way to write it')),
    loseRows: async () => {
      registry.loseRows();
      await Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
});
