import 'reflect-metadata';

import { runService } from '@gatehouse/kernel';
import { GatewayModule } from './gateway.module.ts';

await runService(GatewayModule);
