import type { FastifyReply, FastifyRequest } from 'fastify';

import type { RequestContext } from '../context/request-context.ts';

/** Runs for each HTTP request before its body is read. A throw is the answer. */
export type BeforeBody = (
  context: RequestContext,
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<void> | void;

/**
 * What higher libraries do before a body is read: verify who called, so that request id and forwarded headers are believed
 * from the first line on. Not run on the admin listener. Register from a constructor or `onModuleInit`.
 */
export class HttpHooks {
  readonly #beforeBody: BeforeBody[] = [];

  beforeBody(hook: BeforeBody): void {
    this.#beforeBody.push(hook);
  }

  async run(context: RequestContext, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    for (const hook of this.#beforeBody) await hook(context, request, reply);
  }

  get empty(): boolean {
    return this.#beforeBody.length === 0;
  }
}
