// The very kafkajs that the bus uses, so that no version is measured against another.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../libs/event-bus/package.json', import.meta.url));
export default require('kafkajs');
