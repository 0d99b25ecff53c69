import { followedAddress } from '@gatehouse/persistence';
import { ConsulConfig, consulOptionsOf } from './consul/consul.config.ts';
import { ConsulRegistryStore } from './consul/consul-registry.store.ts';
import { PostgresRegistryConfig } from './postgres/postgres-registry.config.ts';
import { PostgresRegistryStore } from './postgres/postgres-registry.store.ts';
import { RegistryConfig } from './registry.config.ts';
import type { RegistryStore } from './registry.store.ts';
import { StaticConfig } from './static/static.config.ts';
import { StaticRegistryStore } from './static/static-registry.store.ts';

/**
 * The registry that the environment names.
 * @param service of this process
 * @throws ConfigError naming what is wrong or missing for that one
 */
export function openRegistry(service: string): RegistryStore {
  const chosen = new RegistryConfig();
  if (chosen.DISCOVERY_STATIC !== undefined) {
    const config = new StaticConfig();
    return new StaticRegistryStore({
      service,
      places: config.DISCOVERY_STATIC,
      listen: config.DISCOVERY_STATIC_LISTEN,
      directoryFile: config.GATEHOUSE_DIRECTORY_FILE,
    });
  }
  if (chosen.CONSUL_HTTP_ADDR !== undefined)
    return new ConsulRegistryStore(consulOptionsOf(new ConsulConfig()));
  return new PostgresRegistryStore(followedAddress(new PostgresRegistryConfig()));
}
