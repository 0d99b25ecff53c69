import { ADMIN_ROUTE, routeSettingsOf } from '@gatehouse/kernel';
import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';

import { Access, type AccessRule, Callers } from '../decorators/access.decorators.ts';
import { Audit, type AuditedValue } from '../decorators/audited.decorator.ts';
import { type RateLimitPolicy, RateLimits } from '../decorators/rate-limit.decorator.ts';
import { RouteFacts, type RouteOptionValues } from '../decorators/route-options.decorator.ts';

type Handler = ExecutionContext['getHandler'] extends () => infer H ? H : never;
type ControllerClass = ReturnType<ExecutionContext['getClass']>;

/** Everything the decorators of one route or gRPC method say. */
export interface RouteRules {
  /** `UsersController.get` */
  operation: string;
  /** Served on the admin listener, where access rules do not apply. */
  admin: boolean;
  access?: AccessRule;
  /** The services that may call; absent: whoever `access` lets in. */
  callers?: readonly string[];
  limits: readonly RateLimitPolicy[];
  audited?: AuditedValue;
  options: Omit<RouteOptionValues, 'consumes'> & { consumes?: readonly string[] };
}

/** Reads the decorators of a route once and keeps the answer. A method's access decorators win over its class's. */
@Injectable()
export class RouteRulesReader {
  private readonly known = new Map<ControllerClass, Map<Handler, RouteRules>>();

  constructor(private readonly reflector: Reflector) {}

  of(context: ExecutionContext): RouteRules {
    return this.rulesOf(context.getClass(), context.getHandler());
  }

  rulesOf(controller: ControllerClass, handler: Handler): RouteRules {
    let methods = this.known.get(controller);
    if (methods === undefined) {
      methods = new Map<Handler, RouteRules>();
      this.known.set(controller, methods);
    }
    let rules = methods.get(handler);
    if (rules === undefined) {
      rules = this.read(controller, handler);
      methods.set(handler, rules);
    }
    return rules;
  }

  private read(controller: ControllerClass, handler: Handler): RouteRules {
    const { reflector } = this;
    // A decorator of the method itself stands alone: `@Public` on it is not narrowed by the callers of its class.
    const own =
      Reflect.hasMetadata(Access.KEY, handler) || Reflect.hasMetadata(Callers.KEY, handler);
    const from = own ? handler : controller;
    const access = reflector.get(Access, from) as AccessRule | undefined;
    const callers = reflector.get(Callers, from) as readonly string[] | undefined;
    const limits = reflector.getAllAndOverride<readonly RateLimitPolicy[] | undefined>(
      RateLimits.KEY,
      [handler, controller],
    );
    const audited = reflector.get(Audit, handler) as AuditedValue | undefined;
    return {
      operation: `${controller.name}.${handler.name}`,
      admin:
        reflector.getAllAndOverride<boolean | undefined>(ADMIN_ROUTE, [handler, controller]) ??
        false,
      ...(access === undefined ? {} : { access }),
      ...(callers === undefined ? {} : { callers }),
      limits: limits ?? [],
      ...(audited === undefined ? {} : { audited }),
      options: {
        ...routeSettingsOf(handler),
        ...(reflector.get(RouteFacts, handler) as RouteOptionValues | undefined),
      },
    };
  }
}
