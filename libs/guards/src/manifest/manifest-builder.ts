import {
  Manifest,
  type PermissionDeclaration,
  type RouteDeclaration,
} from '@gatehouse/contracts-platform';
import { DEFAULT_CONSUMES, KernelConfig, ServiceInfo } from '@gatehouse/kernel';
import { Inject, Injectable } from '@nestjs/common';

import { Endpoints, type HttpEndpoint, isPublished } from '../access/endpoints.ts';
import type { AccessRule } from '../decorators/access.decorators.ts';

/** Permissions that no route names but the service's code asks for. */
export const FURTHER_PERMISSIONS = Symbol('further permissions');
const DEFAULT_TIMEOUT_MS = 10_000;
const SAFE_TO_REPEAT = new Set(['GET', 'PUT', 'DELETE']);
const WITHOUT_BODY = new Set(['GET', 'DELETE']);

/** Builds the manifest from the decorators. Routes for services alone (`@AllowedClients` without an access rule) and those of the admin listener are not in it. */
@Injectable()
export class ManifestBuilder {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly service: ServiceInfo,
    private readonly config: KernelConfig,
    @Inject(FURTHER_PERMISSIONS) private readonly further: readonly PermissionDeclaration[],
  ) {}

  /** @throws where `problems` are left: the start-up check has seen to it that there are none */
  build(): Manifest {
    return Manifest.parse(this.draft());
  }

  /** What keeps the decorators from making a manifest, each with the route or permission named. */
  problems(): string[] {
    const draft = this.draft();
    const result = Manifest.safeParse(draft);
    const invalid = result.success
      ? []
      : result.error.issues.map(({ path, message }) => `${this.where(draft, path)}: ${message}`);
    return [...invalid, ...conflicts(this.declared())];
  }

  private draft(): Manifest {
    const permissions = new Map(this.declared().map((permission) => [permission.name, permission]));
    return {
      service: this.service.name,
      version: this.service.version,
      namespace: this.service.namespace,
      routes: this.published().map((endpoint) => this.route(endpoint)),
      permissions: [...permissions.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    };
  }

  private published(): HttpEndpoint[] {
    return this.endpoints
      .all()
      .filter((endpoint) => endpoint.transport === 'http')
      .filter(isPublished);
  }

  /** Described ones last, so that they win over the same permission named without a description. */
  private declared(): PermissionDeclaration[] {
    const ofRoutes = this.endpoints
      .all()
      .flatMap(({ rules: { access } }) =>
        access?.kind === 'permission'
          ? [{ name: access.permission, description: access.description, scope: access.scope }]
          : [],
      );
    return [...ofRoutes, ...this.further].sort(
      (a, b) => Number(a.description !== '') - Number(b.description !== ''),
    );
  }

  private route({ method, path, rules }: HttpEndpoint): RouteDeclaration {
    const { options } = rules;
    return {
      method: method as RouteDeclaration['method'],
      path,
      operation: rules.operation,
      access: accessOf(rules.access as AccessRule),
      rate_limits: [...rules.limits],
      consumes: [...(options.consumes ?? (WITHOUT_BODY.has(method) ? [] : DEFAULT_CONSUMES))],
      body_limit:
        options.bodyLimit ?? (WITHOUT_BODY.has(method) ? 0 : this.config.HTTP_BODY_LIMIT_BYTES),
      idempotent: options.idempotent ?? SAFE_TO_REPEAT.has(method),
      timeout_ms: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      ...(rules.audited === undefined ? {} : { audited: rules.audited.action }),
      ...(options.streaming === undefined ? {} : { streaming: options.streaming }),
      ...(options.deprecation === undefined ? {} : { deprecation: options.deprecation }),
    };
  }

  private where(draft: Manifest, [member, index, ...rest]: PropertyKey[]): string {
    if (member === 'routes' && typeof index === 'number') {
      const route = draft.routes[index];
      return `${route?.operation} (${route?.method} ${route?.path}) ${rest.map(String).join('.')}`.trimEnd();
    }
    if (member === 'permissions' && typeof index === 'number')
      return `permission ${draft.permissions[index]?.name}`;
    return [member, index, ...rest].map(String).join('.');
  }
}

function accessOf(access: AccessRule): RouteDeclaration['access'] {
  if (access.kind !== 'permission') return { kind: access.kind };
  return {
    kind: 'permission',
    permission: access.permission,
    scope: access.scope,
    ...(access.orSelf === undefined ? {} : { or_self: access.orSelf }),
  };
}

function conflicts(declared: readonly PermissionDeclaration[]): string[] {
  const scopes = new Map<string, string>();
  const wrong = new Set<string>();
  for (const { name, scope } of declared) {
    if ((scopes.get(name) ?? scope) !== scope)
      wrong.add(`permission ${name} is declared with two scopes`);
    scopes.set(name, scope);
  }
  return [...wrong];
}
