import { ConsulConfig, consulOptionsOf } from './consul/consul.config.ts';
import { ConsulRegistryStore } from './consul/consul-registry.store.ts';
import { PostgresRegistryConfig } from './postgres/postgres-registry.config.ts';
import { PostgresRegistryStore } from './postgres/postgres-registry.store.ts';
import { RegistryConfig } from './registry.config.ts';
import type { RegistryStore } from './registry.store.ts';

/** The registry that the environment names. @throws ConfigError naming what is wrong or missing for that one */
export function openRegistry(): RegistryStore {
  const chosen = new RegistryConfig();
  if (chosen.CONSUL_HTTP_ADDR !== undefined)
    return new ConsulRegistryStore(consulOptionsOf(new ConsulConfig()));
  const { DATABASE_URL, DATABASE_TLS_CA } = new PostgresRegistryConfig();
  return new PostgresRegistryStore(DATABASE_URL, DATABASE_TLS_CA);
}
