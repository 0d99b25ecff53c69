export {
  provisionedDatabase,
  type ProvisionedDatabase,
  type ProvisionedDatabaseOptions,
} from './provisioned-database.ts';
