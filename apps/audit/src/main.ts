import { runService } from '@gatehouse/kernel';

import { AuditModule } from './audit.module.ts';

await runService(AuditModule);
