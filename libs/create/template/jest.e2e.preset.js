import preset from './jest.preset.js';

/** @type {import('jest').Config} */
export default { ...preset, testMatch: ['<rootDir>/test/**/*.e2e-spec.ts'] };
