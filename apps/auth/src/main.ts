import { runService } from '@gatehouse/kernel';

import { AuthModule } from './auth.module.ts';

await runService(AuthModule);
