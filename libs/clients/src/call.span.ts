import { ATTRIBUTE, inSpan, type RecordedSpan, SpanKind } from '@gatehouse/kernel';
import { status } from '@grpc/grpc-js';
import type { CallChannel } from './grpc-client.ts';
import type { ServiceMethod } from './service.methods.ts';

/** Makes a call, as a client span where the work in hand is recorded: its retries are within. */
export function inCallSpan<T>(
  channel: CallChannel,
  method: ServiceMethod,
  call: (span: RecordedSpan | undefined) => Promise<T>,
): Promise<T> {
  const name = method.path.slice(1);
  const attributes = {
    [ATTRIBUTE.RPC_SYSTEM_NAME]: 'grpc',
    [ATTRIBUTE.RPC_METHOD]: name,
    [ATTRIBUTE.SERVER_ADDRESS]: channel.service,
  };
  return inSpan(name, { kind: SpanKind.CLIENT, attributes }, call);
}

/** To a client each code but OK is a failure (semantic conventions for gRPC). */
export function codeOfCall(span: RecordedSpan | undefined, code: number): void {
  if (span === undefined) return;
  const name = status[code] ?? 'UNKNOWN';
  span.set({ [ATTRIBUTE.RPC_STATUS_CODE]: name });
  if (name !== 'OK') span.fail(name);
}
