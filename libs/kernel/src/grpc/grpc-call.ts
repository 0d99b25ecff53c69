import { DeadlineExceeded, PlatformError } from '@gatehouse/contracts-platform';
import { status as Code, type ServerWritableStream } from '@grpc/grpc-js';
import { firstValueFrom, isObservable } from 'rxjs';

import { requestContext } from '../context/request-context.ts';
import { toGrpcError } from '../errors/grpc-error.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { deadlineOf, openGrpcContext, type ServerCall } from './grpc-context.ts';
import { endGrpcSpan, prepareGrpcSpan } from './grpc-span.ts';

/** One finished call. */
export interface GrpcCallReport {
  /** `/gatehouse.auth.v1.AuthService/GetKeySet` */
  path: string;
  code: Code;
  durationMs: number;
  /** What the handler threw, where it did. */
  error?: unknown;
}

/**
 * Runs a handler for one call, in a context of its own. `settle` is told once how the call ended: with an error to send, or
 * none. The returned function ends the call early with an error.
 */
export function runCall(
  path: string,
  call: ServerCall,
  work: (finished: () => boolean) => Promise<void>,
  settle: (error: Error | null) => void,
  report: (report: GrpcCallReport) => void,
  tracing: Tracing,
): (error: PlatformError) => void {
  const began = performance.now();
  const over = new AbortController();
  const context = openGrpcContext(call, over.signal);
  prepareGrpcSpan(tracing, context, path);
  let finished = false;

  const finish = (error?: unknown) => {
    if (finished) return;
    finished = true;
    const answer = error === undefined ? null : toGrpcError(error);
    // Nobody reads the answer of a call that was cancelled, but it is counted, and is no failure of this process.
    const code = error instanceof CallCancelled ? Code.CANCELLED : (answer?.code ?? Code.OK);
    requestContext.run(context, () =>
      report({
        path,
        code,
        durationMs: performance.now() - began,
        ...(error !== undefined && { error }),
      }),
    );
    endGrpcSpan(context, code, error);
    settle(answer);
    over.abort();
  };
  call.once('cancelled', () => {
    const deadline = deadlineOf(call);
    finish(
      deadline !== undefined && deadline <= Date.now()
        ? new DeadlineExceeded()
        : new CallCancelled(),
    );
  });
  void requestContext.run(context, () => work(() => finished).then(() => finish(), finish));
  return finish;
}

/** The caller went away; nobody reads the answer. */
class CallCancelled extends PlatformError {
  static override readonly code = 'CALL_CANCELLED';
  static override readonly kind = 'deadline-exceeded';
  static override readonly title = 'The caller went away';
}

/** The one message of a unary method: of a promise, an observable or a plain value. */
export async function oneMessage(result: unknown): Promise<object> {
  const settled: unknown = await result;
  const value = isObservable(settled)
    ? await firstValueFrom(settled, { defaultValue: undefined })
    : settled;
  return (await value) ?? {};
}

/**
 * Writes the messages of a server stream. An async iterable is read no faster than the caller reads; an observable pushes,
 * and what the caller does not read waits in memory.
 * @throws what the source throws; TypeError where the handler returned neither
 */
export async function writeMessages(
  result: unknown,
  call: ServerWritableStream<unknown, unknown>,
  finished: () => boolean,
): Promise<void> {
  const source: unknown = await result;
  const signal = requestContext.require().signal;
  if (isObservable(source)) {
    await new Promise<void>((resolve, reject) => {
      const subscription = source.subscribe({
        next: (message) => {
          if (!finished()) call.write(message);
        },
        error: reject,
        complete: resolve,
      });
      signal?.addEventListener('abort', () => {
        subscription.unsubscribe();
        resolve();
      });
    });
    return;
  }
  if (!isAsyncIterable(source)) {
    throw new TypeError('a streaming method must return an async iterable or an observable');
  }
  const iterator = source[Symbol.asyncIterator]();
  // A source that waits for its next message hears of the end here, or by `requestContext.require().signal`.
  signal?.addEventListener('abort', () => void iterator.return?.().catch(() => undefined));
  for (;;) {
    const next = await iterator.next();
    if (next.done === true || finished()) return;
    if (!call.write(next.value)) await drained(call, signal);
  }
}

function drained(
  call: ServerWritableStream<unknown, unknown>,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off('drain', done);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    call.once('drain', done);
    signal?.addEventListener('abort', done);
  });
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
