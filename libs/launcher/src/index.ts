/**
 * What it takes to bring a platform up on one machine: which services the workspace has, and how each runs as a process.
 * What the provisioner makes for them is `@gatehouse/launcher/provisioning`. Used by the `gatehouse` command and by the
 * end-to-end fixture.
 */
export {
  commandOf,
  endProcess,
  identify,
  isRunning,
  type ProcessIdentity,
} from './processes/process-identity.ts';
export { readEnd } from './processes/read-end.ts';
export { type MigrateOptions, runMigrations } from './processes/run-migrations.ts';
export {
  serviceEnvironment,
  type ServiceEnvironmentOptions,
} from './processes/service-environment.ts';
export {
  describeExit,
  type Exit,
  type ServiceAddresses,
  ServiceProcess,
  type ServiceProcessOptions,
} from './processes/service-process.ts';
export { variableOf } from './processes/variable.ts';
export { writeCredential } from './provisioning/write-credential.ts';
export {
  CORE_SERVICES,
  findWorkspace,
  GATEWAY,
  listServices,
  type ServicePackage,
} from './workspace/workspace.ts';
