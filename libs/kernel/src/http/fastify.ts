import type { IncomingMessage } from 'node:http';

import { ValidationFailed } from '@gatehouse/contracts-platform';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';

import { type RequestContext, requestContext } from '../context/request-context.ts';
import { formatTraceparent } from '../context/trace-context.ts';
import { toProblem } from '../errors/problem.ts';
import { LISTENER_CONSTRAINT } from './admin-route.ts';
import { registerBodyParsing } from './body-parsing.ts';
import { contextOf, openContext } from './http-context.ts';
import { beginHttpSpan, endHttpSpan } from './http-span.ts';
import { type HttpServers, isAdminRequest } from './http-servers.ts';
import { checkTarget } from './target-rules.ts';

/** Characters. */
const MAX_PARAMETER = 512;

/** The one Fastify behind both listeners. */
export function createFastifyAdapter(servers: HttpServers, bodyLimit: number): FastifyAdapter {
  const options: FastifyServerOptions = {
    logger: false,
    trustProxy: false,
    bodyLimit,
    // Fastify's own ids stay inside it: ours is in the request context.
    requestIdHeader: false,
    serverFactory: (handler) => servers.create(handler),
    frameworkErrors: (error, request, reply) =>
      void answerUnroutable(servers, error, request, reply),
    clientErrorHandler: (error, socket) => servers.answerUnreadable(error, socket),
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
      maxParamLength: MAX_PARAMETER,
      constraints: { [LISTENER_CONSTRAINT]: listenerConstraint() },
    },
  };
  const adapter = new FastifyAdapter(options as never);
  const fastify = adapter.getInstance<FastifyInstance>();
  registerBodyParsing(fastify);
  servers.routes.collect(fastify);

  fastify.addHook('onRequest', (request, reply, done) => {
    const context = openContext(request.raw);
    const gone = new AbortController();
    context.signal = gone.signal;
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) gone.abort();
      endHttpSpan(context, request, reply);
    });
    const judge = () => {
      begin();
      try {
        checkTarget(request.raw.url ?? '');
        if (request.is404) {
          const [path = ''] = request.url.split('?', 1);
          throw servers.routes.missing(path, isAdminRequest(request.raw));
        }
        done();
      } catch (error) {
        done(error as Error);
      }
    };
    const begin = () => {
      // What operators ask is no part of anybody's trace; a front records what it has handed on.
      if (isAdminRequest(request.raw) || servers.front !== undefined) untraced(context);
      else beginHttpSpan(servers.tracing, context, request);
    };
    requestContext.run(context, () => {
      // First who called: the answer to a target that is refused bears the caller's request id too.
      if (servers.hooks.empty || isAdminRequest(request.raw)) judge();
      else {
        servers.hooks.run(context, request, reply).then(judge, (error: unknown) => {
          begin();
          done(error as Error);
        });
      }
    });
  });
  // Reading the body went on in the socket's own async context.
  fastify.addHook('preValidation', (request, _reply, done) => {
    const context = contextOf(request.raw);
    if (context === undefined) done();
    else requestContext.run(context, done);
  });
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    const context = contextOf(request.raw);
    if (context !== undefined) {
      reply.header('x-request-id', context.requestId);
      reply.header('traceparent', formatTraceparent(context.trace));
    }
    // What is left of a body nobody reads would be taken for the next request.
    if (servers.closing || reply.statusCode === 413) reply.header('connection', 'close');
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    servers.answered(request, reply);
    done();
  });
  return adapter;
}

function untraced(context: RequestContext): void {
  if (context.trace.sampled) context.trace = { ...context.trace, sampled: false };
}

/**
 * A route with this constraint is found on the admin listener and nowhere else; one without it everywhere else. The same
 * path may exist on both.
 */
function listenerConstraint() {
  return {
    name: LISTENER_CONSTRAINT,
    storage: () => {
      const handlers = new Map<unknown, unknown>();
      return {
        get: (listener: unknown) => (handlers.get(listener) ?? null) as never,
        set: (listener: unknown, handler: unknown) => {
          handlers.set(listener, handler);
        },
      };
    },
    validate: (listener: unknown) => {
      if (listener !== 'admin') throw new Error('the listener of a route is "admin" or not stated');
    },
    // undefined on the other listener, whatever the declared type says.
    deriveConstraint: (request: IncomingMessage) =>
      (isAdminRequest(request) ? 'admin' : undefined) as string,
    mustMatchWhenDerived: true,
  };
}

/** A target the router itself cannot read: no hook has run, so nothing but this knows the request. */
async function answerUnroutable(
  servers: HttpServers,
  error: Error & { code?: string },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const context = openContext(request.raw);
  untraced(context);
  let refusal: Error = refusalOf(error);
  try {
    if (!isAdminRequest(request.raw)) await servers.hooks.run(context, request, reply);
  } catch (thrown) {
    refusal = thrown as Error;
  }
  const { requestId } = context;
  const problem = toProblem(refusal, { requestId });
  void reply
    .status(problem.status)
    .headers({ ...problem.headers, 'x-request-id': requestId })
    .send(JSON.stringify(problem.body));
}

/** In words of ours: the router's own repeat the whole path. */
function refusalOf(error: Error & { code?: string }): Error {
  const message =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? `A part of the path is longer than ${MAX_PARAMETER} characters`
      : error.code === 'FST_ERR_BAD_URL'
        ? 'The path is not percent-encoded UTF-8'
        : undefined;
  if (message === undefined) return error;
  return new ValidationFailed(undefined, { violations: [{ pointer: '/path', message }] });
}
