/** Apart from the rest: it brings the libraries of discovery, events and persistence with it. */
export {
  type Provisioned,
  provisionPlatform,
  type ProvisionPlatformOptions,
} from './provision-platform.ts';
