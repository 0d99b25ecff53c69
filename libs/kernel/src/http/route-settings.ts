import { Reflector } from '@nestjs/core';
import { RouteConfig } from '@nestjs/platform-fastify';

/** What the HTTP server itself must know of a route before its handler runs. */
export interface RouteSettings {
  /** Media types of the body, without parameters. Default: `application/json`. */
  consumes?: readonly string[];
  /** Bytes. Default: HTTP_BODY_LIMIT_BYTES. */
  bodyLimit?: number;
}

/** The key under which @nestjs/swagger keeps the media types of a body (its DECORATORS.API_CONSUMES). */
const API_CONSUMES = 'swagger/apiConsumes';

const Settings = Reflector.createDecorator<RouteSettings>({ key: 'gatehouse:route-settings' });

/** Declares what a route's body may be. */
export function HttpRoute(settings: RouteSettings): MethodDecorator {
  return (target, key, descriptor) => {
    Settings(settings)(target, key as string, descriptor as PropertyDescriptor);
    const { consumes = [] } = settings;
    if (consumes.length > 0) {
      Reflect.defineMetadata(API_CONSUMES, [...consumes], descriptor.value as object);
    }
    // Nest hands this to Fastify as the route's `config`, which the parsers read.
    RouteConfig({ gatehouse: settings })(target, key as string, descriptor as PropertyDescriptor);
  };
}

/** The settings declared on a handler, for the manifest. */
export function routeSettingsOf(handler: object): RouteSettings {
  return (Reflect.getMetadata(Settings.KEY, handler) as RouteSettings | undefined) ?? {};
}

/** The settings of the route Fastify matched. */
export function settingsInConfig(config: unknown): RouteSettings {
  return (config as { gatehouse?: RouteSettings } | undefined)?.gatehouse ?? {};
}

export const DEFAULT_CONSUMES: readonly string[] = ['application/json'];
