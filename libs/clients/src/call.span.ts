import {
  ATTRIBUTE,
  inSpan,
  type RecordedSpan,
  requestContext,
  SpanKind,
  type SpanOptions,
  withSpan,
} from '@gatehouse/kernel';
import { status } from '@grpc/grpc-js';
import type { CallChannel } from './grpc-client.ts';
import type { ServiceMethod } from './service.methods.ts';

/** Makes a call, as a client span where the work in hand is recorded: its retries are within. */
export function inCallSpan<T>(
  channel: CallChannel,
  method: ServiceMethod,
  call: (span: RecordedSpan | undefined) => Promise<T>,
): Promise<T> {
  return inSpan(nameOf(method), optionsOf(channel, method), call);
}

/**
 * Begins the client span of a stream, where the work in hand is recorded. It lasts as long as the stream and is its
 * caller's to end; messages are no events of it, for there is no bound to them.
 */
export function beginStreamSpan(
  channel: CallChannel,
  method: ServiceMethod,
): RecordedSpan | undefined {
  return requestContext.current()?.span?.child(nameOf(method), optionsOf(channel, method));
}

/** Does `work` as seen from within `span`, where there is one: what it sends along names the span as its parent. */
export function within<T>(span: RecordedSpan | undefined, work: () => T): T {
  return span === undefined
    ? work()
    : requestContext.run(withSpan(requestContext.require(), span), work);
}

function nameOf({ path }: ServiceMethod): string {
  return path.slice(1);
}

function optionsOf(channel: CallChannel, method: ServiceMethod): SpanOptions {
  return {
    kind: SpanKind.CLIENT,
    attributes: {
      [ATTRIBUTE.RPC_SYSTEM_NAME]: 'grpc',
      [ATTRIBUTE.RPC_METHOD]: nameOf(method),
      [ATTRIBUTE.SERVER_ADDRESS]: channel.service,
    },
  };
}

/** To a client each code but OK is a failure (semantic conventions for gRPC). */
export function codeOfCall(span: RecordedSpan | undefined, code: number): void {
  if (span === undefined) return;
  const name = status[code] ?? 'UNKNOWN';
  span.set({ [ATTRIBUTE.RPC_STATUS_CODE]: name });
  if (name !== 'OK') span.fail(name);
}
