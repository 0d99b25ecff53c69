import { fromGrpcError } from '@gatehouse/kernel';
import { status } from '@grpc/grpc-js';
import { deadlineOf } from './call.deadline.ts';
import type { CallOptions } from './client.types.ts';
import type { CallChannel } from './grpc-client.ts';
import type { ServiceMethod } from './service.methods.ts';

const DEFAULT_DEADLINE_MS = 2_000;

/** One request, one answer. */
export async function callUnary(
  channel: CallChannel,
  method: ServiceMethod,
  request: object,
  options: CallOptions,
): Promise<object> {
  const { signal, deadlineMs = DEFAULT_DEADLINE_MS } = options;
  const deadline = deadlineOf(deadlineMs);
  const metadata = channel.metadata(options);
  const ready = metadata instanceof Promise ? await metadata : metadata;
  signal?.throwIfAborted();
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const call = channel.client.makeUnaryRequest(
      method.path,
      method.serialize,
      method.deserialize,
      request,
      ready,
      { deadline: deadline ?? Number.POSITIVE_INFINITY },
      (error, answer) => {
        signal?.removeEventListener('abort', cancel);
        channel.observe(method.name, error?.code ?? status.OK, performance.now() - began);
        if (!error && answer) resolve(answer);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason is the caller's own
        else reject(signal?.aborted ? signal.reason : fromGrpcError(error, channel.errors));
      },
    );
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
  });
}
