import { runService } from '@gatehouse/kernel';

import { IdentityModule } from './identity.module.ts';

await runService(IdentityModule);
