import type { Signal, Watched } from '../following/signal.ts';

/** A role's full state. */
export interface RoleState {
  id: string;
  name: string;
  /** Absent: a role of the platform. */
  organizationId?: string;
  permissions: readonly string[];
  /** Holds every permission, new ones included. */
  allPermissions: boolean;
  /** Held by every active user without a binding. */
  implicit: boolean;
  deleted: boolean;
}

/** A role that a subject holds in a scope. */
export interface GrantedRole {
  roleId: string;
  /** `platform`, or `organization:<id>`. */
  scope: string;
}

/** A subject's bindings, all of them. */
export interface SubjectGrants {
  subjectId: string;
  bindings: readonly GrantedRole[];
  /** Of two states of one subject the higher number holds. */
  number: number;
}

export type GrantChange =
  { number: number; role: RoleState } | { number: number; subject: SubjectGrants };

/**
 * Port: where roles and bindings come from. `watch(0)` sends every role but no subject; `watch(n)` roles and subjects
 * that changed above n. See `Watched` for the rest.
 */
export abstract class GrantSource implements Watched<GrantChange> {
  abstract watch(after: number, signal: AbortSignal): AsyncIterable<Signal<GrantChange>>;

  /** The subject's bindings as of its `number`, read after the call was made; none for a subject nobody knows. */
  abstract grantsOf(subjectId: string): Promise<SubjectGrants>;
}
