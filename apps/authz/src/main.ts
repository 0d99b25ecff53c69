import { runService } from '@gatehouse/kernel';

import { AuthzModule } from './authz.module.ts';

await runService(AuthzModule);
