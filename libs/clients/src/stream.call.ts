import { ATTRIBUTE, fromGrpcError, type RecordedSpan } from '@gatehouse/kernel';
import { type ServiceError, status } from '@grpc/grpc-js';
import { deadlineOf } from './call.deadline.ts';
import { beginStreamSpan, codeOfCall, within } from './call.span.ts';
import type { CallOptions } from './client.types.ts';
import type { CallChannel } from './grpc-client.ts';
import type { ServiceMethod } from './service.methods.ts';

/**
 * One request, a stream of answers. Reads no faster than it is iterated. Leaving the loop cancels the call; an
 * aborted signal ends it with the signal's reason.
 */
export async function* callStream(
  channel: CallChannel,
  method: ServiceMethod,
  request: object,
  options: CallOptions,
): AsyncGenerator<object, void, undefined> {
  const span = beginStreamSpan(channel, method);
  try {
    yield* read(channel, method, request, options, span);
  } catch (error) {
    if (options.signal?.aborted !== true) span?.threw(error);
    throw error;
  } finally {
    span?.end();
  }
}

async function* read(
  channel: CallChannel,
  method: ServiceMethod,
  request: object,
  options: CallOptions,
  span: RecordedSpan | undefined,
): AsyncGenerator<object, void, undefined> {
  const { signal } = options;
  const deadline = deadlineOf(options.deadlineMs);
  const metadata = await within(span, () => channel.metadata(options));
  signal?.throwIfAborted();
  const began = performance.now();
  const call = channel.client.makeServerStreamRequest(
    method.path,
    method.serialize,
    method.deserialize,
    request,
    metadata,
    {
      deadline: deadline ?? Number.POSITIVE_INFINITY,
    },
  );
  // The loop below throws it; without a listener a cancelled call would end the process.
  call.on('error', () => undefined);
  const cancel = (): void => call.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  let code: number | undefined;
  try {
    for await (const message of call as AsyncIterable<object>) yield message;
    code = status.OK;
  } catch (error) {
    code = (error as Partial<ServiceError>).code ?? status.UNKNOWN;
    if (signal?.aborted) {
      code = undefined;
      throw signal.reason;
    }
    throw fromGrpcError(error, channel.errors);
  } finally {
    signal?.removeEventListener('abort', cancel);
    call.cancel();
    // To stop reading is how a stream without end ends: it is told, and is no failure.
    if (code === undefined) span?.set({ [ATTRIBUTE.RPC_STATUS_CODE]: 'CANCELLED' });
    else codeOfCall(span, code);
    channel.observe(method.name, code ?? status.CANCELLED, performance.now() - began);
  }
}
