import { canonicalJson, requestContext } from '@gatehouse/kernel';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Observable, tap } from 'rxjs';
import { parseIdempotencyKey, setClaim, type IdempotencyClaim } from './idempotency-claim.ts';
import { IdempotentRoute, type IdempotentOptions } from './idempotent-route.ts';

interface HttpRequest {
  method: string;
  url: string;
  headers: Record<string, string | undefined>;
  body?: unknown;
  routeOptions?: { url?: string };
}

/** Reads `Idempotency-Key`; the work is done by the route's transaction (`Idempotency`). */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  private readonly logger = new Logger(IdempotencyInterceptor.name);

  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const options = this.reflector.get(IdempotentRoute, context.getHandler()) as
      IdempotentOptions | undefined;
    if (context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const field = request.headers['idempotency-key'];
    if (field === undefined) return next.handle();

    const claim: IdempotencyClaim = {
      principal: principalOf(requestContext.require().principal),
      route: `${request.method} ${request.routeOptions?.url ?? request.url}`,
      key: parseIdempotencyKey(field),
      request: canonicalJson({ url: request.url, body: bodyOf(request.body) }),
      secret: options?.secret ?? false,
      state: 'pending',
    };
    setClaim(claim);
    const reply = context
      .switchToHttp()
      .getResponse<{ header(name: string, value: string): void }>();
    return next.handle().pipe(
      tap({
        next: () => {
          if (claim.state === 'replayed') reply.header('Idempotency-Replayed', 'true');
          if (claim.state !== 'pending') return;
          claim.state = 'over';
          this.logger.error(`${claim.route} is @Idempotent but ran no writing transaction`);
        },
        // The failure is written down in a transaction of its own: it is not the work of the request.
        error: () => {
          claim.state = 'over';
        },
      }),
    );
  }
}

/** Ids of users and service accounts are unique together; nobody's id contains a colon. */
function principalOf(principal: { id: string } | undefined): string {
  return principal?.id ?? 'anonymous:';
}

function bodyOf(body: unknown): unknown {
  return body instanceof Uint8Array ? Buffer.from(body).toString('base64') : body;
}
