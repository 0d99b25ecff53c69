import { Timestamp, Uuid } from '@gatehouse/kernel';
import { pageOf, PageQuery } from '@gatehouse/persistence';
import { z } from 'zod';

import { ScopeText } from '../decisions/scope.ts';
import { RoleName } from '../roles/roles.schemas.ts';
import type { Binding } from './binding.entity.ts';

export const BindingBody = z
  .object({
    id: Uuid,
    subject_id: Uuid,
    role: RoleName,
    scope: ScopeText,
    created_at: Timestamp,
    created_by: z.string(),
  })
  .meta({ id: 'Binding' });
export type BindingView = z.infer<typeof BindingBody>;

export const BindingPage = pageOf(BindingBody).meta({ id: 'BindingPage' });

export const CreateBindingBody = z
  .strictObject({ subject_id: Uuid, role: RoleName, scope: ScopeText })
  .meta({ id: 'CreateBinding' });
export type CreateBindingBody = z.infer<typeof CreateBindingBody>;

export const ListBindingsQuery = z.strictObject({
  ...PageQuery,
  subject_id: Uuid.optional(),
  role: RoleName.optional(),
  scope: ScopeText.optional(),
});
export type ListBindingsQuery = z.infer<typeof ListBindingsQuery>;

/** Of a binding whose role is loaded. */
export function toView(binding: Binding): BindingView {
  return {
    id: binding.id,
    subject_id: binding.subjectId,
    role: binding.role.name,
    scope: binding.scope,
    created_at: binding.createdAt.toISOString(),
    created_by: binding.createdBy,
  };
}
