// The very undici that the gateway uses, so that no version is measured against another.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../apps/gateway/package.json', import.meta.url));
export const { Pool } = require('undici');
