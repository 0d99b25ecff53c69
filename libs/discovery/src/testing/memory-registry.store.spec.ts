import { MemoryRegistry, MemoryRegistryStore } from './memory-registry.store.ts';
import { registryStoreContract } from './registry-store.contract.ts';

registryStoreContract('memory (for tests)', () => {
  const registry = new MemoryRegistry();
  return Promise.resolve({
    open: (service) => new MemoryRegistryStore(registry, service),
    writeDirectory: (_serial, document) => Promise.resolve(registry.writeDirectory(document)),
    writeDirectoryAs: () => Promise.reject(new Error('a service has no way to write it')),
    loseRows: () => Promise.resolve(registry.loseRows()),
    close: () => Promise.resolve(),
  });
});
