/** The key under which @nestjs/swagger keeps what a route takes (its DECORATORS.API_PARAMETERS). */
const API_PARAMETERS = 'swagger/apiParameters';

export interface RequestHeader {
  name: string;
  required: boolean;
  description: string;
  /** JSON Schema. */
  schema: Readonly<Record<string, unknown>>;
}

/**
 * Documents a header that the handler of a route reads, for decorators that read one. The same as @nestjs/swagger's
 * `@ApiHeader`, without loading that library.
 */
export function documentRequestHeader(handler: object, header: RequestHeader): void {
  const known = (Reflect.getMetadata(API_PARAMETERS, handler) ?? []) as object[];
  Reflect.defineMetadata(API_PARAMETERS, [...known, { in: 'header', ...header }], handler);
}
