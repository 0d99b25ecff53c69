import { mkdirSync, readFileSync } from 'node:fs';

// Jest writes its report at the very end, and fails where the folder is missing.
mkdirSync('test-results', { recursive: true });

const swc = JSON.parse(readFileSync(new URL('.swcrc', import.meta.url), 'utf8'));
delete swc.$schema;
// Jest resolves the sources themselves, so an import must keep its `.ts`.
swc.jsc.rewriteRelativeImportExtensions = false;

/** @type {import('jest').Config} */
export default {
  testMatch: ['**/*.spec.ts', '**/*.int-spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/test-results/'],
  transform: { '\\.ts$': ['@swc/jest', { ...swc, swcrc: false }] },
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  // Our libraries are read from src: a stale dist can never make a test pass.
  testEnvironmentOptions: { customExportConditions: ['@gatehouse/source', 'node', 'node-addons'] },
  maxWorkers: '50%',
  // The first database of a run is made within a hook, on whatever else the machine is doing.
  testTimeout: 60_000,
};
