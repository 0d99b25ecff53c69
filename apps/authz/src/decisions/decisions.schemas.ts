import { Uuid } from '@gatehouse/kernel';
import { z } from 'zod';

import { PermissionName } from '../roles/roles.schemas.ts';
import { ScopeText } from './scope.ts';

const SubjectType = z.enum(['user', 'service']);

export const CheckBody = z
  .strictObject({
    subject_id: Uuid,
    subject_type: SubjectType.default('user'),
    permission: PermissionName,
    scope: ScopeText.default('platform'),
  })
  .meta({ id: 'Check' });
export type CheckBody = z.infer<typeof CheckBody>;

export const CheckAnswer = z
  .object({
    allowed: z.boolean(),
    reason: z.string().describe('The role and scope that allowed it, or what is missing'),
    revision: z.int().describe('The number of the last change that was seen'),
  })
  .meta({ id: 'Decision' });
export type CheckAnswer = z.infer<typeof CheckAnswer>;

export const MAX_BATCH = 100;

export const CheckBatchBody = z
  .strictObject({ checks: z.array(CheckBody).min(1).max(MAX_BATCH) })
  .meta({ id: 'CheckBatch' });
export type CheckBatchBody = z.infer<typeof CheckBatchBody>;

export const CheckBatchAnswer = z
  .object({ results: z.array(CheckAnswer).describe('In the order of the questions') })
  .meta({ id: 'Decisions' });

export const SubjectPermissionsQuery = z.strictObject({
  scope: ScopeText.default('platform'),
  subject_type: SubjectType.default('user'),
});
export type SubjectPermissionsQuery = z.infer<typeof SubjectPermissionsQuery>;

export const SubjectPermissionsAnswer = z
  .object({
    all_permissions: z.boolean(),
    permissions: z.array(PermissionName),
    roles: z.array(z.object({ role: z.string(), scope: z.string(), implicit: z.boolean() })),
  })
  .meta({ id: 'SubjectPermissions' });
export type SubjectPermissionsAnswer = z.infer<typeof SubjectPermissionsAnswer>;

/** As gRPC brings a check: empty members are absent ones. */
export const CheckMessage = z.object({
  subjectId: Uuid,
  permission: PermissionName,
  scope: z.union([z.literal('').transform(() => 'platform'), ScopeText]),
  subjectType: z.union([z.literal('').transform(() => 'user' as const), SubjectType]),
});
export const BatchCheckMessage = z.object({ checks: z.array(CheckMessage) });
