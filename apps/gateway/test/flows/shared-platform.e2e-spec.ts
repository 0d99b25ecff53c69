import { jest } from '@jest/globals';
import { describePlatforms, type TestPlatform } from '@gatehouse/testing-platform';
import { access } from './shared/access.ts';
import { accounts, REFRESH_WINDOW_SECONDS } from './shared/accounts.ts';
import { badInput } from './shared/bad-input.ts';
import { directAccess } from './shared/direct-access.ts';
import { firstAdministrator } from './shared/first-administrator.ts';
import { permissions } from './shared/permissions.ts';
import { sessions } from './shared/sessions.ts';
import { sideEffects } from './shared/side-effects.ts';
import { userLifecycle } from './shared/user-lifecycle.ts';

jest.setTimeout(180_000);

/**
 * Flows that leave a platform as good as they found it share one: starting it takes longer than most of them. The first
 * begins before there is an administrator and makes one for all others, the last kills Auth.
 */
describePlatforms((start) => {
  let platform: TestPlatform;
  beforeAll(async () => {
    platform = await start({
      administrator: false,
      instances: { identity: 2 },
      // All is logged, so that what must never be logged would be seen.
      env: { LOG_LEVEL: 'debug', GATEWAY_ACCESS_LOG_SAMPLE: '1' },
      envOf: { auth: { AUTH_REFRESH_WINDOW_SECONDS: String(REFRESH_WINDOW_SECONDS) } },
    });
  });
  afterAll(() => platform.stop());

  const flows = {
    firstAdministrator,
    badInput,
    access,
    directAccess,
    sideEffects,
    sessions,
    permissions,
    userLifecycle,
    accounts,
  };
  for (const [name, flow] of Object.entries(flows)) describe(name, () => flow(() => platform));
});
