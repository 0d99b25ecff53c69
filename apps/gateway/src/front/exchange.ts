import type { PlatformError } from '@gatehouse/contracts-platform';
import type { Principal, RecordedSpan, SpanAttributes } from '@gatehouse/kernel';
import { GATEHOUSE, newId } from '@gatehouse/kernel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Client } from '../request/client-address.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { Route } from '../routing/route.ts';
import type { EdgeTrace } from './trace.ts';

/** What may still be running for an exchange when the client goes away. */
export interface Abortable {
  abort(reason: Error): void;
}

const EXCHANGE = Symbol('exchange');
type Watched = ServerResponse & { [EXCHANGE]?: Exchange };

function closeWatched(this: Watched): void {
  this[EXCHANGE]?.close();
}

/** One request and its answer on their way through the pipeline: each stage fills in what it found out. */
export class Exchange {
  /** Monotonic milliseconds. */
  readonly startedAt = performance.now();
  readonly requestId = newId();
  /** Where the path ends in `request.url`; -1 while it is not known to be canonical. */
  pathEnd = -1;
  route: Route | undefined;
  /** Found at once, answered only after the client's address was counted. */
  refusal: PlatformError | undefined;
  /** A path of the gateway itself, answered behind the pipeline. */
  isOwn = false;
  principal: Principal | undefined;
  /** An OPTIONS request on a path that is there: what it takes. */
  options: { readonly allow: string; readonly cors: readonly string[] } | undefined;
  /** Of the `RateLimit` field so far. */
  limitReport = '';
  /** Name, value, name, value: what CORS adds to the answer. */
  corsHeaders: readonly string[] = [];
  /** The stages are over for it: it was answered, handed on, or its client is gone. */
  isSettled = false;
  /** Why it was refused by the gateway, for log and metrics. */
  refusedWith: string | undefined;
  /** What the decision against it said: of its rules, never of what was sent. */
  refusedBecause: string | undefined;
  attempts = 0;
  /** Its answer has no end to be late at: the route says so, or it turned out to be server-sent events. */
  isStreaming = false;
  /** The gateway's span, where the request is sampled. */
  span: RecordedSpan | undefined;
  /** What was decided against the request, for the span it is given at its end. */
  decisions: [name: string, attributes: SpanAttributes][] | undefined;
  private isClosed = false;
  instanceId: string | undefined;
  running: Abortable | undefined;
  /** Hands the request to Nest, where its path may be one of the gateway itself. */
  next: (() => void) | undefined;
  /** Of a request to upgrade: its socket, and what came beyond the handshake. */
  upgrade: { readonly socket: Duplex; readonly head: Buffer } | undefined;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly head: RequestHead,
    readonly client: Client,
    readonly trace: EdgeTrace,
    private readonly onClosed: (exchange: Exchange) => void,
  ) {
    // No closure a request: V8 keeps what such a closure reaches alive until the next full collection.
    (response as Watched)[EXCHANGE] = this;
    // Emitted whether the answer is out or the client has gone.
    response.on('close', closeWatched);
  }

  /** Ends the accounting for it: the answer is out, the client gone, or its socket upgraded. Safe to call again. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClosed(this);
  }

  /** Takes down a decision about the request: at once where it is recorded, else only what went against it. */
  decided(name: string, attributes: SpanAttributes): void {
    if (attributes[GATEHOUSE.OUTCOME] === 'refused') {
      this.refusedBecause = String(attributes[GATEHOUSE.REASON]);
    }
    if (this.span !== undefined) this.span.event(name, attributes);
    else (this.decisions ??= []).push([name, attributes]);
  }

  get method(): string {
    return this.request.method ?? '';
  }

  get target(): string {
    return this.request.url ?? '';
  }
}
