import { describeContract } from '@gatehouse/contracts-platform/testing';

import { auditV1 } from './contract.ts';
import { auditEvents } from './events.ts';

describeContract(new URL('../', import.meta.url), { contracts: [auditV1], events: auditEvents });
