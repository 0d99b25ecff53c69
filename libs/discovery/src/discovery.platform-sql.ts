import type { PlatformMigration } from '@gatehouse/persistence';
import { registrySql } from './postgres/registry.sql.ts';

/** What discovery has in schema `platform`; run by `provision` as its owner. */
export const discoveryPlatformSql: PlatformMigration[] = [
  { name: 'discovery-0001-registry', up: registrySql },
];
