import type { ExecutionContext } from '@nestjs/common';

import type { AuditedRequest } from '../decorators/audited.decorator.ts';

/** The part of a Fastify request that guards read. */
interface HttpRequest {
  headers: Record<string, string | string[] | undefined>;
  params: Record<string, string> | undefined;
  query: Record<string, unknown> | undefined;
  body: unknown;
}

interface HttpReply {
  header(name: string, value: string): unknown;
}

/** The part of a gRPC call's metadata that guards read. */
interface CallMetadata {
  get(name: string): (string | Buffer)[];
}

/** One call from outside, the same to guards whether it came over HTTP or gRPC. */
export interface InboundCall {
  readonly transport: 'http' | 'grpc';
  /** One header or metadata value; undefined where it is absent or stands several times. */
  header(name: string): string | undefined;
  /** Sets a header of an HTTP answer; nothing over gRPC. */
  setHeader(name: string, value: string): void;
  readonly request: AuditedRequest;
}

/** @throws Error for a transport no guard knows: nothing is let in by it */
export function inboundCall(context: ExecutionContext): InboundCall {
  switch (context.getType<string>()) {
    case 'http':
      return httpCall(context);
    case 'rpc':
      return grpcCall(context);
    default:
      throw new Error(`there are no access rules for ${context.getType<string>()}`);
  }
}

function httpCall(context: ExecutionContext): InboundCall {
  const request = context.switchToHttp().getRequest<HttpRequest>();
  const reply = context.switchToHttp().getResponse<HttpReply>();
  return {
    transport: 'http',
    header: (name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : undefined;
    },
    setHeader: (name, value) => void reply.header(name, value),
    request: { params: request.params ?? {}, query: request.query ?? {}, body: request.body },
  };
}

function grpcCall(context: ExecutionContext): InboundCall {
  const metadata = context.switchToRpc().getContext<CallMetadata | undefined>();
  const message: unknown = context.switchToRpc().getData();
  return {
    transport: 'grpc',
    header: (name) => {
      const [value, ...more] = metadata?.get(name) ?? [];
      return typeof value === 'string' && more.length === 0 ? value : undefined;
    },
    setHeader: () => undefined,
    request: { params: textMembers(message), query: {}, body: message },
  };
}

function textMembers(message: unknown): Record<string, string> {
  if (typeof message !== 'object' || message === null) return {};
  return Object.fromEntries(
    Object.entries(message).filter(([, value]) => typeof value === 'string'),
  );
}
