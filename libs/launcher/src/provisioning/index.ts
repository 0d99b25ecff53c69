/** Apart from the rest: it brings the libraries of discovery, events, caches and persistence with it. */
export type { EngineReport } from './engine-plan.ts';
export { examineBrokers } from './examine/examine-brokers.ts';
export { examineCertificates } from './examine/examine-certificates.ts';
export { examineClocks } from './examine/examine-clocks.ts';
export { type DirectoryFindings, examineDirectory } from './examine/examine-directory.ts';
export { type EngineFinding, examineEngines } from './examine/examine-engines.ts';
export { examinePlatformSchema } from './examine/examine-platform-schema.ts';
export { enginesOfEnvironment } from './provision.config.ts';
export {
  type Provisioned,
  provisionPlatform,
  type ProvisionPlatformOptions,
} from './provision-platform.ts';
