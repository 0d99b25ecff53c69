import {
  type CallHandler,
  type ExecutionContext,
  mixin,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { type Observable, tap } from 'rxjs';

interface Reply {
  header(name: string, value: string): void;
}

/** Sets `Location` (RFC 9110, 10.2.2) from what the route answers: `@Location((user: UserView) => `/v1/users/${user.id}`)`. */
export function Location(pathOf: (answer: never) => string): MethodDecorator {
  class LocationInterceptor implements NestInterceptor {
    intercept(context: ExecutionContext, next: CallHandler<never>): Observable<unknown> {
      const reply = context.switchToHttp().getResponse<Reply>();
      return next.handle().pipe(
        tap((answer) => {
          reply.header('Location', pathOf(answer));
        }),
      );
    }
  }
  return UseInterceptors(mixin(LocationInterceptor));
}
