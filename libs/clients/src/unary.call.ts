import { fromGrpcError, type RecordedSpan } from '@gatehouse/kernel';
import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { deadlineOf } from './call.deadline.ts';
import { codeOfCall, inCallSpan } from './call.span.ts';
import type { CallOptions } from './client.types.ts';
import type { CallChannel } from './grpc-client.ts';
import type { ServiceMethod } from './service.methods.ts';

const DEFAULT_DEADLINE_MS = 2_000;

/** How one try ended: with an answer, or with an error and whether the head of an answer had come before it. */
type Ended = { answer: object } | { error: ServiceError | null; begun: boolean };

/** One request, one answer. */
export function callUnary(
  channel: CallChannel,
  method: ServiceMethod,
  request: object,
  options: CallOptions,
): Promise<object> {
  return inCallSpan(channel, method, (span) => call(channel, method, request, options, span));
}

async function call(
  channel: CallChannel,
  method: ServiceMethod,
  request: object,
  options: CallOptions,
  span: RecordedSpan | undefined,
): Promise<object> {
  const { signal, deadlineMs = DEFAULT_DEADLINE_MS } = options;
  const deadline = deadlineOf(deadlineMs) ?? Number.POSITIVE_INFINITY;
  const metadata = channel.metadata(options);
  const ready = metadata instanceof Promise ? await metadata : metadata;
  signal?.throwIfAborted();
  const began = performance.now();
  const attempt = () => tryOnce(channel, method, request, ready, deadline, signal);
  let ended = await attempt();
  // grpc-js retries nothing once it has seen the head of an answer (gRFC A6). An instance that dies right after sending
  // it has answered nobody: once more, where that does no harm.
  if (method.idempotent && isBrokenOff(ended) && signal?.aborted !== true) ended = await attempt();
  const error = 'error' in ended ? ended.error : undefined;
  codeOfCall(span, error?.code ?? status.OK);
  channel.observe(method.name, error?.code ?? status.OK, performance.now() - began);
  if ('answer' in ended) return ended.answer;
  throw signal?.aborted ? signal.reason : fromGrpcError(error, channel.errors);
}

/** One try, with grpc-js's own retries within. Never rejects. */
function tryOnce(
  channel: CallChannel,
  method: ServiceMethod,
  request: object,
  metadata: Metadata,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<Ended> {
  return new Promise((resolve) => {
    let begun = false;
    const call = channel.client.makeUnaryRequest(
      method.path,
      method.serialize,
      method.deserialize,
      request,
      metadata,
      { deadline },
      (error, answer) => {
        signal?.removeEventListener('abort', cancel);
        resolve(!error && answer ? { answer } : { error, begun });
      },
    );
    call.once('metadata', () => (begun = true));
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

function isBrokenOff(ended: Ended): boolean {
  return 'error' in ended && ended.begun && ended.error?.code === status.UNAVAILABLE;
}
