import { MethodNotAllowed, RouteNotFound } from '@gatehouse/contracts-platform';
import type { FastifyInstance } from 'fastify';

import { LISTENER_CONSTRAINT } from './admin-route.ts';

interface KnownRoute {
  method: string;
  pattern: RegExp;
  admin: boolean;
}

/**
 * What is served, for the answer to a request that matched nothing: 405 with `Allow` where the path exists with another
 * method (RFC 9110 section 15.5.6), else 404.
 */
export class RouteTable {
  readonly #routes: KnownRoute[] = [];

  collect(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ method, url, constraints }) => {
      for (const each of [method].flat()) {
        this.#routes.push({
          method: each,
          pattern: patternOf(url),
          admin: constraints?.[LISTENER_CONSTRAINT] === 'admin',
        });
      }
    });
  }

  missing(path: string, admin: boolean): MethodNotAllowed | RouteNotFound {
    const allowed = this.#routes
      .filter((route) => route.admin === admin && route.pattern.test(path))
      .map((route) => route.method);
    if (allowed.length === 0) return new RouteNotFound();
    const allow = [...new Set(allowed)].sort().join(', ');
    return new MethodNotAllowed(undefined, { metadata: { allow } });
  }
}

/** `/v1/users/:id` in find-my-way's form; a parameter is one segment, a wildcard the rest. */
function patternOf(url: string): RegExp {
  const source = url
    .split('/')
    .map((segment) => {
      if (segment.startsWith(':')) return '[^/]+';
      if (segment === '*') return '.*';
      return segment.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    })
    .join('/');
  return new RegExp(`^${source}$`);
}
