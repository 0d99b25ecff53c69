import type { PermissionScope } from '../decorators/access.decorators.ts';

/** `platform`, or `organization:<id>`. */
export type Scope = string;

export const PLATFORM_SCOPE: Scope = 'platform';

export function organizationScope(organizationId: string): Scope {
  return `organization:${organizationId}`;
}

/**
 * The scope a route is decided in: the platform for what is global, else the organization that the caller's token
 * chose, or the platform where it chose none.
 */
export function scopeFor(scope: PermissionScope, organizationId: string | undefined): Scope {
  return scope === 'platform' || organizationId === undefined
    ? PLATFORM_SCOPE
    : organizationScope(organizationId);
}
