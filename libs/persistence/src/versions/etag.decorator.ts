import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { type Observable, tap } from 'rxjs';
import { etagOf } from './etag.ts';

/** Sets `ETag` from the number `version` of what the route answers. */
@Injectable()
export class EtagInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    return next.handle().pipe(
      tap((answer) => {
        const version = (answer as { version?: unknown } | null | undefined)?.version;
        if (typeof version !== 'number' || context.getType() !== 'http') return;
        context
          .switchToHttp()
          .getResponse<{ header(name: string, value: string): void }>()
          .header('ETag', etagOf(version));
      }),
    );
  }
}

/** The answer's `version` becomes its `ETag`. */
export const Etag = (): MethodDecorator & ClassDecorator => UseInterceptors(EtagInterceptor);
