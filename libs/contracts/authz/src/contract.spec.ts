import { describeContract } from '@gatehouse/contracts-platform/testing';

import { authzV1 } from './contract.ts';
import { authzEvents } from './events.ts';

describeContract(new URL('../', import.meta.url), { contracts: [authzV1], events: authzEvents });
