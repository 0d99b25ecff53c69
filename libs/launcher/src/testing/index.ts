/** For tests on engines with security on. */
export { type SecuredEngines, securedEngines } from './secured-engines.ts';
