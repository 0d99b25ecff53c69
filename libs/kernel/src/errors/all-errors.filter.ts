import { ValidationFailed } from '@gatehouse/contracts-platform';
import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Observable, throwError } from 'rxjs';

import { contextOf } from '../http/http-context.ts';
import { asPlatformError } from './as-platform-error.ts';
import { toProblem } from './problem.ts';

/**
 * The last filter of every transport. HTTP: problem+json. gRPC: passed on to the server, which maps and logs it. An error
 * that is not the caller's is logged with its stack; the caller learns `INTERNAL_ERROR` and the request id.
 */
@Catch()
export class AllErrorsFilter implements ExceptionFilter {
  readonly #logger = new Logger('Errors');

  catch(thrown: unknown, host: ArgumentsHost): Observable<never> | undefined {
    if (host.getType() !== 'http') return throwError(() => thrown);

    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const requestId = contextOf(request.raw)?.requestId;
    // The client went away while its body was read: nobody hears the answer, and nothing went wrong on our side.
    const isCutOff = thrown !== undefined && thrown === request.raw.errored;
    const error = isCutOff
      ? new ValidationFailed('The body broke off.', { cause: thrown })
      : asPlatformError(thrown);
    if (error.kind === 'internal') {
      this.#logger.error({ err: error.cause ?? error, code: error.code, request_id: requestId });
    }
    if (reply.sent || reply.raw.headersSent) {
      // Too late for another answer: a cut connection says more than a body that looks whole.
      reply.raw.destroy();
      return undefined;
    }
    const [instance] = request.url.split('?', 1);
    const credentialSent = request.headers.authorization !== undefined;
    const problem = toProblem(error, { requestId, instance, credentialSent });
    rememberCode(request.raw, problem.body.code);
    void reply.status(problem.status).headers(problem.headers).send(problem.body);
    return undefined;
  }
}

const CODE = Symbol('error code');

function rememberCode(raw: object, code: string): void {
  (raw as Record<symbol, unknown>)[CODE] = code;
}

/** The code of the error a request was answered with, for its log line. */
export function errorCodeOf(raw: object): string | undefined {
  return (raw as Record<symbol, string | undefined>)[CODE];
}
