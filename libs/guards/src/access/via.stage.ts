import { isIP } from 'node:net';

import { NotAuthenticated } from '@gatehouse/contracts-platform';
import { ViaTokens } from '@gatehouse/discovery';
import { callerVerified, HttpHooks, type RequestContext } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import type { InboundCall } from './inbound-call.ts';
import type { RouteRules } from './route-rules.ts';

/** The service whose word about the outside is believed. */
export const GATEWAY = 'gateway';

const REQUEST_ID = /^[\w-]{8,64}$/;

/**
 * Which service calls, from its `Gatehouse-Via`. gRPC is open to services alone, except where a method is `@Public`.
 * HTTP may be called directly, but only the gateway is believed about the client's address, and only a verified
 * service about the request id. For HTTP this is settled before the body is read, so that the first log line is right.
 */
@Injectable()
export class ViaStage {
  constructor(
    private readonly via: ViaTokens,
    hooks: HttpHooks,
  ) {
    hooks.beforeBody((work, request) =>
      this.identify((name) => singleHeader(request.headers[name]), work),
    );
  }

  async check(call: InboundCall, rules: RouteRules, work: RequestContext): Promise<void> {
    if (call.transport === 'http') return;
    await this.identify((name) => call.header(name), work);
    if (work.caller === undefined && rules.access?.kind !== 'public') {
      throw new NotAuthenticated('Gatehouse-Via is required.');
    }
  }

  private async identify(
    header: (name: string) => string | undefined,
    work: RequestContext,
  ): Promise<void> {
    const token = header('gatehouse-via');
    if (token === undefined) return;
    work.caller = (await this.via.verify(token)).service;
    callerVerified(work);
    const requestId = header('x-request-id');
    if (requestId !== undefined && REQUEST_ID.test(requestId)) work.requestId = requestId;
    if (work.caller !== GATEWAY) return;
    // The gateway sets one address; should something before it have added others, its own word is the last one.
    const client = header('x-forwarded-for')?.split(',').at(-1)?.trim();
    if (client !== undefined && isIP(client) !== 0) work.clientIp = client;
  }
}

function singleHeader(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
