import { defineEvents, type EventDataOf } from '@gatehouse/contracts-platform';
import { z } from 'zod';

const Version = z.int().min(1);
const UserState = z.object({
  user_id: z.uuid(),
  version: Version,
  email: z.string(),
  display_name: z.string(),
  status: z.enum(['active', 'deactivated']),
});
const UserReference = z.object({ user_id: z.uuid(), version: Version });

/** The key of each is the user's id. */
const schemas = {
  'identity.user.created.v1': UserState,
  /** `changed` names the members that differ from the version before. */
  'identity.user.updated.v1': UserState.extend({ changed: z.array(z.string()) }),
  'identity.user.deactivated.v1': UserReference,
  'identity.user.reactivated.v1': UserReference,
  'identity.user.deleted.v1': UserReference,
};

declare module '@gatehouse/contracts-platform' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- its members are those it extends
  interface IntegrationEventMap extends EventDataOf<typeof schemas> {}
}

/** What Identity publishes. */
export const identityEvents = defineEvents('identity', schemas);
