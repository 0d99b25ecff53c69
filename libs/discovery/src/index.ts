/**
 * Who the services are (`Directory`), where their instances are (`Discovery`), how this one is announced
 * (`Announcement`) and how one process proves to another which service it is (`ViaTokens`).
 */
export { Announcement } from './announcement.ts';
export { consulRulesOf, grantConsulAccess } from './consul/consul.access.ts';
export { ConsulClient, type ConsulOptions } from './consul/consul.client.ts';
export { ConsulConfig, consulOptionsOf } from './consul/consul.config.ts';
export { consulRefusal } from './consul/consul.error.ts';
export { ConsulRegistryStore } from './consul/consul-registry.store.ts';
export { Directory } from './directory.ts';
export { Discovery, type RejectedEntry } from './discovery.ts';
export { DiscoveryConfig } from './discovery.config.ts';
export { DiscoveryModule } from './discovery.module.ts';
export { discoveryPlatformSql } from './discovery.platform-sql.ts';
export {
  covers,
  type DirectoryEntry,
  type DirectoryService,
  PROVISIONER,
  signDirectory,
} from './documents/directory.document.ts';
export type { RefusalReason, ServiceInstance } from './documents/instance.entry.ts';
export { examineRegistry, type RegistryExamination } from './examine-registry.ts';
export { generateServiceKey, publicKeyOf, type ServiceKeyPair } from './documents/keys.ts';
export { PostgresRegistryStore } from './postgres/postgres-registry.store.ts';
export {
  type DirectoryTarget,
  publishDirectory,
  type PublishDirectoryOptions,
} from './publishing/publish-directory.ts';
export { RegistryStore, type StoredEntry } from './registry.store.ts';
export { StaticRegistryStore } from './static/static-registry.store.ts';
export { CLOCK_TOLERANCE_SECONDS, issueProvisionerToken } from './via/via.token.ts';
export { type ViaCaller, ViaTokens } from './via/via.tokens.ts';
