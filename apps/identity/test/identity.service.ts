import { ServiceUnderTest } from '@gatehouse/guards/testing/service';
import { eventBusMigrations } from '@gatehouse/event-bus';

import { IdentityModule } from '../src/identity.module.ts';
import { identityMigrations } from '../src/migrations/identity.migrations.ts';

/** Identity, whole, on a database of its own. */
export function startIdentity(env: Record<string, string> = {}): Promise<ServiceUnderTest> {
  return ServiceUnderTest.start(IdentityModule, {
    env,
    packageDir: new URL('..', import.meta.url).pathname,
    migrations: [...eventBusMigrations, ...identityMigrations],
  });
}
