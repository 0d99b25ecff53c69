import { Reflector } from '@nestjs/core';

import { refuseSecond } from './refuse-second.ts';

/** Where a permission is decided: for the organization that the token chose (none: the platform), or always for the platform. */
export type PermissionScope = 'platform' | 'organization';

/** Who may call a route or a gRPC method, as its access decorator says. */
export type AccessRule =
  | { kind: 'public' }
  | { kind: 'authenticated' }
  | {
      kind: 'permission';
      permission: string;
      /** The path parameter that names the caller: whoever it names needs no permission. */
      orSelf?: string;
      scope: PermissionScope;
      description: string;
    };

/** The typed metadata behind `@Public`, `@Authenticated` and `@RequirePermission`. */
export const Access = Reflector.createDecorator<AccessRule>();

/** The typed metadata behind `@AllowedClients`: names of services. */
export const Callers = Reflector.createDecorator<readonly string[]>();

type AccessDecorator = ClassDecorator & MethodDecorator;

/** Anybody may call; a credential is neither needed nor looked at. */
export const Public = (): AccessDecorator => rule({ kind: 'public' });

/** Whoever presents a valid access token may call. */
export const Authenticated = (): AccessDecorator => rule({ kind: 'authenticated' });

/**
 * Whoever holds the permission may call.
 * @param permission `<service>.<resource>.<action>`, in the service's own namespace
 */
export function RequirePermission(
  permission: string,
  options: { orSelf?: string; scope?: PermissionScope; description?: string } = {},
): AccessDecorator {
  return rule({
    kind: 'permission',
    permission,
    scope: options.scope ?? 'organization',
    description: options.description ?? '',
    ...(options.orSelf === undefined ? {} : { orSelf: options.orSelf }),
  });
}

/** In `@AllowedClients`: whichever service the directory lists. */
export const ANY_SERVICE = '*';

/**
 * Only these services may call, read from the verified `Gatehouse-Via` and from nothing else. On its own it is an
 * access decorator too (no user needed), and its route is the platform's own: the manifest does not list it.
 */
export function AllowedClients(...services: [string, ...string[]]): AccessDecorator {
  return refuseSecond(Callers.KEY, '@AllowedClients', Callers(services));
}

function rule(access: AccessRule): AccessDecorator {
  return refuseSecond(
    Access.KEY,
    'an access decorator (@Public, @Authenticated or @RequirePermission)',
    Access(access),
  );
}
