import { HttpRoute } from '@gatehouse/kernel';
import { Reflector } from '@nestjs/core';

export interface RouteOptionValues {
  /** How long the gateway waits for the answer, in milliseconds. */
  timeoutMs?: number;
  /** The largest body in bytes. */
  bodyLimit?: number;
  /** The media types the route reads. */
  consumes?: string[];
  /** The call may be repeated without a second effect, though its method does not say so. */
  idempotent?: boolean;
  /** The answer is a stream without an end of its own (server-sent events): no response deadline. */
  streaming?: boolean;
  /** RFC 9745 and RFC 8594; times in RFC 3339. */
  deprecation?: { deprecated_at: string; sunset_at?: string; link?: string };
}

/** The typed metadata behind `@RouteOptions`. */
export const RouteFacts = Reflector.createDecorator<RouteOptionValues>();

/** What the manifest says of a route besides its access. `consumes` and `bodyLimit` hold in the service itself too. */
export function RouteOptions(options: RouteOptionValues): MethodDecorator {
  return (target, property, descriptor) => {
    RouteFacts(options)(target, property as string, descriptor as PropertyDescriptor);
    const { consumes, bodyLimit } = options;
    if (consumes === undefined && bodyLimit === undefined) return;
    HttpRoute({
      ...(consumes === undefined ? {} : { consumes }),
      ...(bodyLimit === undefined ? {} : { bodyLimit }),
    })(target, property, descriptor);
  };
}
