import { PreconditionRequired } from '@gatehouse/contracts-platform';
import { documentRequestHeader } from '@gatehouse/kernel';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { versionOfIfMatch } from './etag.ts';

export interface IfMatchOptions {
  /** Without the field the call is refused with 428. `*` is a field: the client says that any version will do. */
  required?: boolean;
}

const Version = createParamDecorator<IfMatchOptions | undefined>(
  (options, context: ExecutionContext): number | undefined => {
    const request = context
      .switchToHttp()
      .getRequest<{ headers: Record<string, string | undefined> }>();
    const field = request.headers['if-match'];
    if (field === undefined && options?.required) {
      throw new PreconditionRequired('Send If-Match with the ETag that was read');
    }
    return versionOfIfMatch(field);
  },
);

/**
 * The version in `If-Match`, a `number | undefined`; give it to the command, which calls `checkVersion` on the
 * row it has locked.
 */
export function IfMatch(options: IfMatchOptions = {}): ParameterDecorator {
  return (target, key, index) => {
    Version(options)(target, key, index);
    documentRequestHeader((target as Record<PropertyKey, object>)[key as string] as object, {
      name: 'If-Match',
      required: options.required ?? false,
      description: 'The ETag that was read, or `*` for any version',
      schema: { type: 'string', examples: ['"7"'] },
    });
  };
}
