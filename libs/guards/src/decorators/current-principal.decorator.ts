import { NotAuthenticated } from '@gatehouse/contracts-platform';
import { type Principal, requestContext } from '@gatehouse/kernel';
import { createParamDecorator } from '@nestjs/common';

/** The verified caller of this request: parameter decorator. A route that lets callers in without a token answers 401 here. */
export const CurrentPrincipal = createParamDecorator((): Principal => currentPrincipal());

/** The verified caller of the request that runs now. @throws NotAuthenticated where there is none */
export function currentPrincipal(): Principal {
  const principal = requestContext.current()?.principal;
  if (principal === undefined) throw new NotAuthenticated();
  return principal;
}
