import { EventEmitter } from 'node:events';

import { ServiceUnavailable } from '@gatehouse/contracts-platform';
import { Metadata } from '@grpc/grpc-js';

import { requestContext } from '../context/request-context.ts';
import { Tracing } from '../tracing/tracing.ts';
import { runCall, writeMessages } from './grpc-call.ts';
import type { ServerCall } from './grpc-context.ts';
import { callerVerified } from './grpc-span.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

const begun = {
  attributes: {} as Record<string, unknown>,
  name: '',
  parent: '' as string | undefined,
  events: 0,
  failed: false,
  ended: 0,
};
type Begun = typeof begun;

/** One call of a stream whose caller asks for sampling. `work` gives the messages. */
function call(work: () => AsyncIterable<object>, sampled = '01') {
  const spans: Begun[] = [];
  const tracing = Tracing.of(
    {
      start: ({ parentSpanId: parent }, name, { attributes }) => {
        const span: Begun = { ...begun, name, parent, attributes: { ...attributes } };
        spans.push(span);
        return {
          setAttribute: (key: string, value: unknown) => (span.attributes[key] = value),
          setAttributes: (more: object) => Object.assign(span.attributes, more),
          addEvent: () => (span.events += 1),
          setStatus: () => (span.failed = true),
          end: () => (span.ended += 1),
        } as never;
      },
    },
    0,
  );
  const metadata = new Metadata();
  metadata.set('traceparent', `00-${TRACE}-00f067aa0ba902b7-${sampled}`);
  const written: unknown[] = [];
  const stream = Object.assign(new EventEmitter(), {
    metadata,
    getDeadline: () => Number.POSITIVE_INFINITY,
    getPeer: () => '127.0.0.1:5000',
    write: (message: unknown) => written.push(message) > 0,
  });
  const settled = new Promise<void>((resolve) => {
    const end = runCall(
      '/gatehouse.probe.v1.ProbeService/Count',
      stream as unknown as ServerCall,
      (finished) => writeMessages(work(), stream as never, finished),
      () => resolve(),
      () => undefined,
      tracing,
    );
    stream.once('stop', () => end(new ServiceUnavailable('This instance is stopping.')));
  });
  return { spans, stream, written, settled };
}

async function* messages(count: number, then?: () => void): AsyncGenerator<object> {
  // As guards do, once they know who calls.
  callerVerified(requestContext.require());
  for (let number = 1; number <= count; number++) yield Promise.resolve({ number });
  then?.();
}

/** Its first message, and then none until the call is over. */
async function* endless(): AsyncGenerator<object> {
  yield* messages(1);
  await new Promise<void>((resolve) => {
    requestContext.require().signal?.addEventListener('abort', () => resolve());
  });
}

describe('the span of a stream', () => {
  it('begins with the call, has nothing of its messages, and ends with it', async () => {
    const { spans, written, settled } = call(() => messages(50));
    await settled;
    expect(written).toHaveLength(50);
    expect(spans).toEqual([
      {
        name: 'gatehouse.probe.v1.ProbeService/Count',
        parent: '00f067aa0ba902b7',
        attributes: {
          'rpc.system.name': 'grpc',
          'rpc.method': 'gatehouse.probe.v1.ProbeService/Count',
          'rpc.status_code': 'OK',
          'gatehouse.request_id': expect.any(String) as string,
        },
        events: 0,
        failed: false,
        ended: 1,
      },
    ]);
  });

  it.each([
    ['the caller leaves', 'cancelled', 'CANCELLED', 'CALL_CANCELLED', false],
    ['this process stops', 'stop', 'UNAVAILABLE', 'SERVICE_UNAVAILABLE', true],
  ])('is open until %s', async (_name, event, status, code, failed) => {
    const { spans, stream, written, settled } = call(endless);
    while (written.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(spans).toMatchObject([{ ended: 0 }]);
    stream.emit(event);
    await settled;
    expect(spans).toMatchObject([
      { attributes: { 'rpc.status_code': status, 'gatehouse.code': code }, failed, ended: 1 },
    ]);
  });

  it('tells what broke it, by its code', async () => {
    const { spans, settled } = call(() =>
      messages(3, () => {
        throw new TypeError('said with a canary');
      }),
    );
    await settled;
    expect(spans).toMatchObject([
      { attributes: { 'rpc.status_code': 'INTERNAL', 'gatehouse.code': 'INTERNAL_ERROR' } },
    ]);
    expect(spans).toMatchObject([{ failed: true, ended: 1 }]);
    expect(JSON.stringify(spans)).not.toContain('canary');
  });

  it('is none where the caller does not sample', async () => {
    const { spans, settled } = call(() => messages(1), '00');
    await settled;
    expect(spans).toEqual([]);
  });
});
