import { describeContract } from '@gatehouse/contracts-platform/testing';

import { identityV1 } from './contract.ts';
import { identityEvents } from './events.ts';

describeContract(new URL('../', import.meta.url), {
  contracts: [identityV1],
  events: identityEvents,
});
