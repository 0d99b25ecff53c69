import { applyDecorators, SetMetadata } from '@nestjs/common';
import { RouteConstraints } from '@nestjs/platform-fastify';

/** Metadata key: the route is served on the admin listener only, and is exempt from access rules. */
export const ADMIN_ROUTE = 'gatehouse:admin-route';

/** The Fastify constraint that keeps the two listeners apart; see `listener-constraint.ts`. */
export const LISTENER_CONSTRAINT = 'listener';

const onMethod = () =>
  applyDecorators(
    SetMetadata(ADMIN_ROUTE, true),
    // @nestjs/swagger's mark for what is no part of the document, set without loading that library.
    SetMetadata('swagger/apiExcludeEndpoint', { disable: true }),
    RouteConstraints({ [LISTENER_CONSTRAINT]: 'admin' }),
  ) as MethodDecorator;

/**
 * Serves a method, or every method of a class, on the admin listener and nowhere else. Operators reach that listener;
 * access rules do not apply there.
 * @throws where the class inherits a route: the mark would be on its parent, so the class must override it
 */
export function AdminRoute(): ClassDecorator & MethodDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    if (key !== undefined && descriptor !== undefined) onMethod()(target, key, descriptor);
    else onClass(target as new () => object);
  };
}

function onClass(controller: new () => object): void {
  SetMetadata(ADMIN_ROUTE, true)(controller);
  const own = controller.prototype as object;
  for (const [name, method] of methodsOf(own)) onMethod()(own, name, method);

  for (let parent = parentOf(own); parent !== Object.prototype; parent = parentOf(parent)) {
    for (const [name, method] of methodsOf(parent)) {
      const isRoute = Reflect.hasMetadata('path', method.value as object);
      if (isRoute && !Object.hasOwn(own, name)) {
        throw new Error(`@AdminRoute: ${controller.name} must override the inherited ${name}`);
      }
    }
  }
}

function methodsOf(prototype: object): [string, PropertyDescriptor][] {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype)).filter(
    ([name, { value }]) => name !== 'constructor' && typeof value === 'function',
  );
}

function parentOf(prototype: object): object {
  return Object.getPrototypeOf(prototype) as object;
}
