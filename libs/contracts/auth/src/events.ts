import { defineEvents, type EventDataOf } from '@gatehouse/contracts-platform';
import { z } from 'zod';

const Reason = z.string().regex(/^[a-z][a-z_]{0,62}$/);

const schemas = {
  /** Key: session id. */
  'auth.session.started.v1': z.object({
    session_id: z.uuid(),
    user_id: z.uuid(),
    client_id: z.string().min(1),
    expires_at: z.iso.datetime(),
  }),
  /** Key: session id. Reasons: `logout`, `revoked`, `refresh_reused`, `password_changed`, `user_deactivated`, `user_deleted`. */
  'auth.session.revoked.v1': z.object({
    session_id: z.uuid(),
    user_id: z.uuid(),
    reason: Reason,
  }),
  /** Key: user id. */
  'auth.login.succeeded.v1': z.object({
    user_id: z.uuid(),
    session_id: z.uuid(),
  }),
  /** Key: user id, or the attempt's own id. Never the address or the password that was tried; no user where none was found. */
  'auth.login.failed.v1': z.object({
    user_id: z.uuid().optional(),
    reason: Reason,
  }),
  /** Key: user id. */
  'auth.password.changed.v1': z.object({
    user_id: z.uuid(),
  }),
  /** Key: `kid`. Published before the key signs, which it does from `not_before` on. */
  'auth.key.rotated.v1': z.object({
    kid: z.string().min(1),
    not_before: z.iso.datetime(),
  }),
};

declare module '@gatehouse/contracts-platform' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- its members are those it extends
  interface IntegrationEventMap extends EventDataOf<typeof schemas> {}
}

/** What Auth publishes. */
export const authEvents = defineEvents('auth', schemas);
