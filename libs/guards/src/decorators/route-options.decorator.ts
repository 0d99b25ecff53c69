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

/** What the manifest says of a route besides its access; a method's options are laid over those of its class. */
export const RouteOptions = Reflector.createDecorator<RouteOptionValues>();
