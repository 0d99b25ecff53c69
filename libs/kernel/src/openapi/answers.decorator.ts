import type { z } from 'zod';

/** The key under which @nestjs/swagger keeps what a route answers (its DECORATORS.API_RESPONSE). */
const API_RESPONSE = 'swagger/apiResponse';

/**
 * Documents an answer of a route: `@Answers(201, UserView, 'The user that was created')`. The same as @nestjs/swagger's
 * `@ApiResponse({ status, standardSchema })`, without loading that library into a process that may never draw its document.
 */
export function Answers(status: number, schema?: z.ZodType, description = ''): MethodDecorator {
  return (_target, _key, descriptor) => {
    const handler = descriptor.value as object;
    const known = Reflect.getMetadata(API_RESPONSE, handler) as object | undefined;
    const answer = { description, ...(schema !== undefined && { standardSchema: schema }) };
    Reflect.defineMetadata(API_RESPONSE, { ...known, [status]: answer }, handler);
  };
}
