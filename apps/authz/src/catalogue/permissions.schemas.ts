import { pageOf, PageQuery } from '@gatehouse/persistence';
import { z } from 'zod';

import { PermissionName } from '../roles/roles.schemas.ts';

const PermissionScope = z.enum(['platform', 'organization']);

export const PermissionBody = z
  .object({
    name: PermissionName,
    service: z.string(),
    description: z.string(),
    scope: PermissionScope.describe('`platform`: what it guards is global'),
    stale: z.boolean().describe('No live version of the service declares it any more'),
  })
  .meta({ id: 'Permission' });
export type PermissionView = z.infer<typeof PermissionBody>;

export const PermissionPage = pageOf(PermissionBody).meta({ id: 'PermissionPage' });

export const ListPermissionsQuery = z.strictObject({
  ...PageQuery,
  service: z.string().min(1).max(63).optional(),
});
export type ListPermissionsQuery = z.infer<typeof ListPermissionsQuery>;

export const RegisterPermissionsMessage = z.object({
  permissions: z
    .array(
      z.object({ name: PermissionName, description: z.string().max(500), scope: PermissionScope }),
    )
    .max(2000)
    .refine(
      (permissions) => new Set(permissions.map(({ name }) => name)).size === permissions.length,
      'A permission is declared twice',
    ),
  manifestDigest: z.string().min(1).max(100),
});
export type RegisterPermissionsMessage = z.infer<typeof RegisterPermissionsMessage>;
