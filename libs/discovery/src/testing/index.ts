export { DnsServer } from './dns-server.ts';
export { MemoryRegistry, MemoryRegistryStore } from './memory-registry.store.ts';
export {
  contractServices,
  type RegistryHarness,
  registryStoreContract,
} from './registry-store.contract.ts';
export { RegisteredService } from './registered-service.ts';
export { SecuredConsul } from './secured-consul.ts';
export { TestPlatform } from './test-platform.ts';
