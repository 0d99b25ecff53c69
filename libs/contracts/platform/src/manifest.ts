import { createHash } from 'node:crypto';

import { z } from 'zod';

/**
 * What a service declares and the platform enforces. Served by each instance at
 * `/.well-known/gatehouse/manifest`; its digest is in the instance's signed registry entry.
 * Members a reader does not know are dropped; a *value* it does not know (another kind of access) is refused.
 */
const Scope = z.enum(['platform', 'organization']);

/** `<service>.<resource>.<action>` */
const PermissionName = z
  .string()
  .max(128)
  .regex(/^[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9_-]*){2}$/, 'expected <service>.<resource>.<action>');

/** Literal segments and `{parameters}`; canonical, without a trailing slash. */
const RoutePath = z
  .string()
  .max(512)
  .regex(
    /^\/$|^(?:\/(?!\.{1,2}(?:\/|$))(?:[A-Za-z0-9._~-]+|\{[a-z][A-Za-z0-9_]*\}))+$/,
    'expected /literal/{parameter}',
  )
  .refine((path) => new Set(parametersOf(path)).size === parametersOf(path).length, {
    message: 'a path parameter stands twice',
  });

export const RateLimitPolicy = z.object({
  /** Unique in its route, as in the `RateLimit-Policy` field. */
  name: z.string().regex(/^[a-z0-9][a-z0-9_.:-]{0,63}$/),
  limit: z.int().min(1).max(1_000_000),
  window_seconds: z.int().min(1).max(86_400),
  /** Whom it counts: the client's address, or the authenticated principal. */
  by: z.enum(['ip', 'principal']),
  /** What one request takes of the limit; 1 where absent. */
  cost: z.int().min(1).optional(),
});
export type RateLimitPolicy = z.infer<typeof RateLimitPolicy>;

export const RouteAccess = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('public') }),
  z.object({ kind: z.literal('authenticated') }),
  z.object({
    kind: z.literal('permission'),
    permission: PermissionName,
    /** A path parameter: the principal whose id it holds needs no permission. */
    or_self: z.string().min(1).optional(),
    /** `platform` where what is guarded is global whatever the token's `org`. */
    scope: Scope,
  }),
]);
export type RouteAccess = z.infer<typeof RouteAccess>;

export const RouteDeclaration = z
  .object({
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
    /** `/v1/users/{id}` */
    path: RoutePath,
    /** `UsersController.get` */
    operation: z.string().min(1).max(256),
    access: RouteAccess,
    rate_limits: z.array(RateLimitPolicy).max(16),
    /** Media types of the body, without parameters; empty: the route takes none. */
    consumes: z.array(z.string().regex(/^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+*-]+$/)),
    /** Bytes. */
    body_limit: z.int().min(0),
    /** The audited action, where there is one. */
    audited: PermissionName.optional(),
    /** Safe to repeat: GET, PUT, DELETE, or declared so. */
    idempotent: z.boolean(),
    timeout_ms: z.int().min(1).max(3_600_000),
    /** Server-sent events or an upgrade: no response deadline once the head is there. */
    streaming: z.boolean().optional(),
    deprecation: z
      .object({
        /** RFC 9745 */
        deprecated_at: z.iso.datetime(),
        /** RFC 8594 */
        sunset_at: z.iso.datetime().optional(),
        link: z.url().optional(),
      })
      .optional(),
  })
  .refine(
    ({ access, path }) =>
      access.kind !== 'permission' ||
      access.or_self === undefined ||
      parametersOf(path).includes(access.or_self),
    { message: 'or_self names no parameter of the path', path: ['access', 'or_self'] },
  )
  .refine(
    ({ access, rate_limits }) =>
      access.kind !== 'public' || rate_limits.every((policy) => policy.by === 'ip'),
    { message: 'a public route has no principal to count', path: ['rate_limits'] },
  );
export type RouteDeclaration = z.infer<typeof RouteDeclaration>;

export const PermissionDeclaration = z.object({
  name: PermissionName,
  description: z.string().max(512),
  scope: Scope,
});
export type PermissionDeclaration = z.infer<typeof PermissionDeclaration>;

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/);

export const Manifest = z
  .object({
    service: Name,
    version: z.string().min(1).max(64),
    /** First part of its permissions' names. */
    namespace: Name,
    routes: z.array(RouteDeclaration).max(5000),
    permissions: z.array(PermissionDeclaration).max(5000),
  })
  .superRefine((manifest, context) => {
    manifest.permissions.forEach(({ name }, index) => {
      if (name.startsWith(`${manifest.namespace}.`)) return;
      context.addIssue({
        code: 'custom',
        message: `${name} is outside the namespace ${manifest.namespace}`,
        path: ['permissions', index, 'name'],
      });
    });
    const seen = new Set<string>();
    manifest.routes.forEach((route, index) => {
      // Two routes that differ in the parameter's name alone match the same requests.
      const shape = `${route.method} ${route.path.replace(/\{[^}]*\}/g, '{}')}`;
      if (seen.has(shape)) {
        context.addIssue({
          code: 'custom',
          message: `${route.method} ${route.path} is declared twice`,
          path: ['routes', index],
        });
      }
      seen.add(shape);
    });
  });
export type Manifest = z.infer<typeof Manifest>;

/** Names of the `{parameters}` of a route's path, in order. */
export function parametersOf(path: string): string[] {
  return [...path.matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? '');
}

/** `sha-256:<hex>` over the exact bytes served: whoever reads a manifest checks them before parsing. */
export function manifestDigest(bytes: Uint8Array): string {
  return `sha-256:${createHash('sha256').update(bytes).digest('hex')}`;
}
