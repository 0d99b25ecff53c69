import { AuditTrail, type PersonalValue } from '@gatehouse/guards';
import { newId } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import type { Origin } from './sessions/session-origin.ts';

const LOG_IN = 'auth.session.start';
const REGISTER = 'auth.registration.create';
/** Whoever calls is not known yet; the gateway, which forwards the call, did not do it. */
const ANYBODY = { type: 'anonymous' } as const;

/**
 * Audit entries of calls that nobody is logged in for. Address and user agent go in sealed under the user's key, or,
 * where no user was found, under one of the attempt's own; the e-mail address that was tried does not go in at all.
 */
@Injectable()
export class LoginAudit {
  constructor(private readonly trail: AuditTrail) {}

  /** In the transaction that starts the session. */
  loggedIn(userId: string, sessionId: string, origin: Origin): Promise<void> {
    return this.trail.record({
      action: LOG_IN,
      actor: { type: 'user', id: userId, sessionId },
      target: { type: 'session', id: sessionId },
      personal: personal(userId, origin),
    });
  }

  refused(userId: string | undefined, reason: string, origin: Origin): Promise<void> {
    return this.trail.record({
      action: LOG_IN,
      actor: ANYBODY,
      outcome: 'failure',
      reason,
      target: { type: 'user', id: userId ?? '' },
      personal: personal(userId ?? newId(), origin),
    });
  }

  /** @param reason why nothing was registered, if nothing was */
  registered(userId: string, reason?: string): Promise<void> {
    return this.trail.record({
      action: REGISTER,
      actor: ANYBODY,
      outcome: reason === undefined ? 'success' : 'failure',
      ...(reason !== undefined && { reason }),
      target: { type: 'user', id: userId },
    });
  }

  /** With the pending registration, while the caller is at hand. */
  registering(userId: string, origin: Origin): Promise<void> {
    return this.trail.record({
      action: 'auth.registration.start',
      actor: ANYBODY,
      target: { type: 'user', id: userId },
      personal: personal(userId, origin),
    });
  }
}

function personal(subjectId: string, { ip, userAgent }: Origin): PersonalValue[] {
  return [
    { subjectId, name: 'ip', value: ip },
    { subjectId, name: 'user_agent', value: userAgent },
  ].filter(({ value }) => value !== '');
}
