import { PreconditionRequired } from '@gatehouse/contracts-platform';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { versionOfIfMatch } from './etag.ts';

export interface IfMatchOptions {
  /** Without the field the call is refused with 428. `*` is a field: the client says that any version will do. */
  required?: boolean;
}

/**
 * The version in `If-Match`, a `number | undefined`; give it to the command, which calls `checkVersion` on the
 * row it has locked.
 */
export const IfMatch = createParamDecorator<IfMatchOptions | undefined>(
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
