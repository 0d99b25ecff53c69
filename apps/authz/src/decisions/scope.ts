import { organizationScope, PLATFORM_SCOPE, type Scope } from '@gatehouse/guards';
import { z } from 'zod';

/** `platform`, or `organization:<id>`. */
export const ScopeText = z
  .string()
  .toLowerCase()
  .regex(
    /^(platform|organization:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/,
    'Neither `platform` nor `organization:<id>`',
  )
  .meta({ example: 'platform' });

/** Where an organization's own things are decided; the platform's where there is none. */
export function ownerScope(organizationId: string | null | undefined): Scope {
  return organizationId == null ? PLATFORM_SCOPE : organizationScope(organizationId);
}
