import { newRequestContext, requestContext } from '@gatehouse/kernel';

/**
 * Runs work that a request began but that others may wait for too: it keeps the request's id and trace, and is bound
 * neither to its deadline nor to its caller.
 */
export function detached<T>(fn: () => T): T {
  const work = requestContext.current();
  const known =
    work === undefined
      ? {}
      : {
          requestId: work.requestId,
          trace: work.trace,
          ...(work.span !== undefined && { span: work.span }),
        };
  return requestContext.run(newRequestContext(known), fn);
}
