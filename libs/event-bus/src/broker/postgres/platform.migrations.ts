import type { PlatformMigration } from '@gatehouse/persistence';

import { groupsSql } from './groups.sql.ts';
import { logSql } from './log.sql.ts';
import { operationsSql } from './operations.sql.ts';

/** The log in schema `platform`: run by `provision` as the schema's owner, once. */
export const eventBusPlatformSql: PlatformMigration[] = [
  { name: 'event-bus-0001-log', up: logSql },
  { name: 'event-bus-0002-groups', up: groupsSql },
  { name: 'event-bus-0003-operations', up: operationsSql },
];
