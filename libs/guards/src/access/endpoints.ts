import { Injectable, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';

import { ANY_SERVICE } from '../decorators/access.decorators.ts';
import { type RouteRules, RouteRulesReader } from './route-rules.ts';
import { GATEWAY } from './via.stage.ts';

/** An HTTP route as declared. */
export interface HttpEndpoint {
  transport: 'http';
  /** `GET`, ... or `ALL`. */
  method: string;
  /** `/v1/users/{id}` */
  path: string;
  rules: RouteRules;
}

export interface GrpcEndpoint {
  transport: 'grpc';
  /** `AuthService.GetKeySet` */
  method: string;
  rules: RouteRules;
}

// The metadata of @nestjs/microservices; imported by value it would load every transport.
const PATTERN_METADATA = 'microservices:pattern';

/** Every HTTP route and gRPC method of this process, with its rules. */
@Injectable()
export class Endpoints {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly rules: RouteRulesReader,
  ) {}

  all(): (HttpEndpoint | GrpcEndpoint)[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      if (typeof metatype !== 'function') return [];
      const prototype = metatype.prototype as Record<string, () => unknown>;
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const handler = prototype[name] as () => unknown;
        const rules = this.rules.rulesOf(metatype as new () => unknown, handler);
        return [...httpEndpoints(metatype, handler, rules), ...grpcEndpoints(handler, rules)];
      });
    });
  }
}

function httpEndpoints(controller: object, handler: object, rules: RouteRules): HttpEndpoint[] {
  const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
  if (method === undefined) return [];
  const bases = pathsOf(controller);
  return bases.flatMap((base) =>
    pathsOf(handler).map((path) => ({
      transport: 'http' as const,
      method: RequestMethod[method],
      path: routePath(base, path),
      rules,
    })),
  );
}

function grpcEndpoints(handler: object, rules: RouteRules): GrpcEndpoint[] {
  const patterns = Reflect.getMetadata(PATTERN_METADATA, handler) as unknown[] | undefined;
  return (patterns ?? []).map((pattern) => ({
    transport: 'grpc' as const,
    method: nameOf(pattern),
    rules,
  }));
}

function nameOf(pattern: unknown): string {
  const { service, rpc } = (typeof pattern === 'object' ? pattern : {}) as {
    service?: string;
    rpc?: string;
  };
  return service === undefined ? JSON.stringify(pattern) : `${service}.${rpc ?? ''}`;
}

function pathsOf(target: object): string[] {
  const path = Reflect.getMetadata(PATH_METADATA, target) as string | string[] | undefined;
  return path === undefined ? [''] : [path].flat();
}

/** Fastify's `:id` as `{id}`, one slash between segments, none at the end. */
function routePath(...parts: string[]): string {
  const segments = parts.flatMap((part) => part.split('/')).filter((segment) => segment !== '');
  return `/${segments.map((segment) => segment.replace(/^:(.+)$/, '{$1}')).join('/')}`;
}

/**
 * Whether the route is one for the outside, which the manifest lists: not for operators, and not for services alone
 * (`@AllowedClients`, unless the gateway is among them).
 */
export function isPublished({ rules: { admin, access, callers } }: HttpEndpoint): boolean {
  if (admin || access === undefined) return false;
  return callers === undefined || callers.includes(GATEWAY) || callers.includes(ANY_SERVICE);
}
