import { describeContract } from '@gatehouse/contracts-platform/testing';

import { authV1 } from './contract.ts';
import { authEvents } from './events.ts';

describeContract(new URL('../', import.meta.url), { contracts: [authV1], events: authEvents });
