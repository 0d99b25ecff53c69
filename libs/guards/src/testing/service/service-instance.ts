import {
  newId,
  newRequestContext,
  type Principal,
  requestContext,
  type RunningService,
} from '@gatehouse/kernel';
import type { Type } from '@nestjs/common';

import { KeySet } from '../../authentication/key-set.ts';
import { RevocationView } from '../../authentication/revocation-view.ts';
import { GrantView } from '../../authorization/grant-view.ts';
import type { TestIssuer } from '../test-issuer.ts';

export interface Call {
  method?: string;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Whose access token goes with it; none: nobody's. */
  as?: Principal;
}

export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** One running instance, reached the way its callers do. */
export class ServiceInstance {
  constructor(
    readonly running: RunningService,
    private readonly issuer: TestIssuer,
  ) {}

  get<T>(type: Type<T> | (abstract new (...args: never[]) => T)): T {
    return this.running.app.get<T>(type, { strict: false });
  }

  /** Until it knows keys, revocations and grants. */
  async ready(): Promise<void> {
    for (const view of [this.get(KeySet), this.get(RevocationView), this.get(GrantView)]) {
      await view.whenReady();
    }
  }

  /** Whether it has heard of Authz's changes up to that number. */
  knows(head: number): boolean {
    return this.get(GrantView).revision >= head;
  }

  /** A REST call at the service's own port. */
  async call<T = Record<string, unknown>>(
    path: string,
    { method = 'GET', body, headers = {}, as }: Call = {},
  ): Promise<Answer<T>> {
    const answer = await fetch(`${this.running.httpUrl}${path}`, {
      method,
      headers: {
        ...(as && { authorization: `Bearer ${this.tokenOf(as)}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const parsed: unknown = text === '' ? undefined : JSON.parse(text);
    return { status: answer.status, headers: answer.headers, body: parsed as T };
  }

  tokenOf({ id, type, sessionId, organizationId }: Principal): string {
    return this.issuer.token({ sub: id, sub_type: type, sid: sessionId, org: organizationId });
  }
}

/** Somebody, as guards find them in an access token. */
export function principalOf(known: Partial<Principal> = {}): Principal {
  return {
    id: newId(),
    type: 'user',
    sessionId: newId(),
    clientId: 'web',
    token: '',
    expiresAt: Date.now() / 1000 + 600,
    ...known,
  };
}

/** Work in hand, as a request would have it. */
export function asCaller<T>(principal: Principal, work: () => T): T {
  return requestContext.run(newRequestContext({ principal }), work);
}
