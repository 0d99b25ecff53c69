import { Reflector } from '@nestjs/core';

import type { AuditTarget, PersonalValue } from '../audit/audit-entry.ts';
import { refuseSecond } from './refuse-second.ts';

/** The parts of a request an audit entry may be made from. For gRPC `body` is the message. */
export interface AuditedRequest {
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, unknown>>;
  body: unknown;
}

export interface AuditedOptions<Result = unknown> {
  /** A path parameter (in gRPC: a member of the message), or a function; default: parameter `id`, else the result's `id`. */
  target?:
    string | ((result: Result | undefined, request: AuditedRequest) => AuditTarget | undefined);
  /** The target's type; default: the resource in the action (`identity.user.update`: `user`). */
  type?: string;
  /** Further facts, at most 16 KiB as JSON; nothing personal and no secret. */
  metadata?: (
    result: Result | undefined,
    request: AuditedRequest,
  ) => Record<string, unknown> | undefined;
  /** Values about a person: Audit encrypts them under that person's key. */
  personal?: (result: Result | undefined, request: AuditedRequest) => PersonalValue[];
}

export interface AuditedValue extends AuditedOptions {
  action: string;
}

/** The typed metadata behind `@Audited`. */
export const Audit = Reflector.createDecorator<AuditedValue>();

/**
 * Records every call: a success in the command's own transaction, a failure or a read afterwards.
 * `result` in the options is what the outermost `@Transactional` method returned, or the handler where there is none;
 * it is undefined for a failure.
 * @param action `<service>.<resource>.<action>`
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the caller names the type of its own result
export function Audited(action: string, options: AuditedOptions<any> = {}): MethodDecorator {
  return refuseSecond(Audit.KEY, '@Audited', Audit({ action, ...options }));
}
