/** Apart from the rest: it brings the libraries of discovery, events, caches and persistence with it. */
export type { EngineReport } from './engine-plan.ts';
export { type EngineFinding, examineEngines } from './examine-engines.ts';
export { enginesOfEnvironment } from './provision.config.ts';
export {
  type Provisioned,
  provisionPlatform,
  type ProvisionPlatformOptions,
} from './provision-platform.ts';
