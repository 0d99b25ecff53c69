import { defineEvents, type EventDataOf } from '@gatehouse/contracts-platform';
import { z } from 'zod';

const RoleState = z.object({
  role_id: z.uuid(),
  version: z.int().min(1),
  name: z.string(),
  /** Absent: a role of the platform. */
  organization_id: z.uuid().optional(),
  permissions: z.array(z.string()),
});
const BindingState = z.object({
  binding_id: z.uuid(),
  subject_id: z.uuid(),
  role_id: z.uuid(),
  /** The role's name. */
  role: z.string(),
  /** `platform`, or `organization:<id>`. */
  scope: z.string(),
});

const schemas = {
  /** Key of the role events: the role's id. */
  'authz.role.created.v1': RoleState,
  'authz.role.updated.v1': RoleState,
  'authz.role.deleted.v1': RoleState.pick({ role_id: true, version: true, name: true }),
  /** Key of the binding events: the binding's id. */
  'authz.binding.created.v1': BindingState,
  'authz.binding.deleted.v1': BindingState,
  /** Key: the subject's id. Its bindings as they are now, all of them. */
  'authz.grants.changed.v1': z.object({
    subject_id: z.uuid(),
    bindings: z.array(z.object({ role: z.string(), scope: z.string() })),
  }),
};

declare module '@gatehouse/contracts-platform' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- its members are those it extends
  interface IntegrationEventMap extends EventDataOf<typeof schemas> {}
}

/** What Authz publishes. */
export const authzEvents = defineEvents('authz', schemas);
