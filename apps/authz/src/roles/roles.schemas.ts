import { line, Timestamp, Uuid } from '@gatehouse/kernel';
import { pageOf, PageQuery } from '@gatehouse/persistence';
import { z } from 'zod';

export const RoleName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'Lower-case letters, digits and dashes, beginning with a letter')
  .meta({ example: 'support' });

export const PermissionName = z
  .string()
  .max(200)
  .regex(/^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*){2}$/, 'Of the form <service>.<resource>.<action>')
  .meta({ example: 'identity.user.read' });

const Permissions = z
  .array(PermissionName)
  .max(1000)
  .refine((names) => new Set(names).size === names.length, 'A permission is named twice');
const Description = z.union([z.literal(''), line(500)]);

export const RoleBody = z
  .object({
    id: Uuid,
    name: RoleName,
    description: z.string(),
    organization_id: Uuid.nullable().describe('Null: a role of the platform'),
    permissions: z.array(PermissionName),
    built_in: z.boolean(),
    created_at: Timestamp,
    updated_at: Timestamp,
    version: z.int().min(1).describe('Also the ETag'),
  })
  .meta({ id: 'Role' });
export type RoleView = z.infer<typeof RoleBody>;

export const RolePage = pageOf(RoleBody).meta({ id: 'RolePage' });

export const CreateRoleBody = z
  .strictObject({ name: RoleName, description: Description.default(''), permissions: Permissions })
  .meta({ id: 'CreateRole' });
export type CreateRoleBody = z.infer<typeof CreateRoleBody>;

export const UpdateRoleBody = z
  .strictObject({ description: Description.optional(), permissions: Permissions.optional() })
  .refine((body) => Object.keys(body).length > 0, 'Name at least one member to change')
  .meta({ id: 'UpdateRole' });
export type UpdateRoleBody = z.infer<typeof UpdateRoleBody>;

export const ListRolesQuery = z.strictObject(PageQuery);
export type ListRolesQuery = z.infer<typeof ListRolesQuery>;
