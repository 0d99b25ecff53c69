import type { Metadata, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';

import { newId } from '../context/new-id.ts';
import type { RequestContext } from '../context/request-context.ts';
import { continueTrace } from '../context/trace-context.ts';
import { plainAddress } from '../http/http-context.ts';

export type ServerCall = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;

const MAX_ID = 64;

/**
 * The context of a gRPC call. Only services of the platform call, and guards refuse whoever cannot prove to be one, so the
 * request id is taken as it comes; caller and principal are for guards to set.
 * @param signal aborted when the call is over, for whatever reason
 */
export function openGrpcContext(call: ServerCall, signal: AbortSignal): RequestContext {
  const { metadata } = call;
  const requestId = text(metadata, 'x-request-id');
  const context: RequestContext = {
    requestId: requestId === undefined || requestId.length > MAX_ID ? newId() : requestId,
    trace: continueTrace(text(metadata, 'traceparent'), text(metadata, 'tracestate')),
    signal,
    locals: new Map(),
  };
  const deadline = deadlineOf(call);
  if (deadline !== undefined) context.deadline = deadline;
  const clientIp = peerAddress(call.getPeer());
  if (clientIp !== undefined) context.clientIp = clientIp;
  return context;
}

/** Milliseconds since the epoch; undefined where the caller set none. */
export function deadlineOf(call: ServerCall): number | undefined {
  const deadline = call.getDeadline();
  const ms = deadline instanceof Date ? deadline.getTime() : deadline;
  return Number.isFinite(ms) ? ms : undefined;
}

function text(metadata: Metadata, name: string): string | undefined {
  const values = metadata.get(name);
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : undefined;
}

/** `127.0.0.1:5000` and `[::1]:5000` without the port. */
function peerAddress(peer: string): string | undefined {
  const match = /^\[?(.+?)\]?:\d+$/.exec(peer);
  return match?.[1] === undefined ? undefined : plainAddress(match[1]);
}
