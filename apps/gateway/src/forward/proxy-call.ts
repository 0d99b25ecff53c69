import type { ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { edgeHeaders } from '../front/answer.ts';
import type { Abortable, Exchange } from '../front/exchange.ts';
import type { UpstreamInstance } from '../upstream/upstream-instance.ts';
import { outwardHeaders } from './answer-headers.ts';
import type { AnswerHeaders } from './answer-headers.ts';
import { failureKind } from './failure.ts';
import type { FailureKind } from './failure.ts';

type Controller = Dispatcher.DispatchController;

/** What a call tells of how it went. */
export interface CallOutcome {
  /** The answer's head has come and goes out now. */
  answering(contentType: unknown): void;
  /** The answer is out as a whole. */
  answered(): void;
  /** It failed; whether a part of the answer is out already, `response.headersSent` says. */
  failed(call: ProxyCall, kind: FailureKind, error: Error): void;
}

/**
 * One attempt at one instance: undici's handler, written by hand. Bytes go from socket to socket as they come; each side
 * is paused while the other cannot keep up.
 */
export class ProxyCall implements Dispatcher.DispatchHandler, Abortable {
  private controller: Controller | undefined;
  private isSent = false;
  private isOver = false;
  private abortedWith: Error | undefined;
  /** Bytes of the answer still to come, where it says how many; -1 where it does not. */
  private remaining = -1;

  constructor(
    private readonly exchange: Exchange,
    readonly instance: UpstreamInstance,
    private readonly outcome: CallOutcome,
    /** Whether connections are to be left, because this process stops. */
    private readonly isClosing: boolean,
  ) {}

  onRequestStart(controller: Controller): void {
    this.controller = controller;
    if (this.abortedWith !== undefined) {
      controller.abort(this.abortedWith);
      return;
    }
    this.isSent = true;
  }

  onResponseStart(_controller: Controller, status: number, headers: AnswerHeaders): void {
    // 103 and its like are for this hop.
    if (status < 200) return;
    this.outcome.answering(headers['content-type']);
    const { exchange } = this;
    const raw = edgeHeaders(exchange, outwardHeaders(headers));
    if (this.isClosing) raw.push('connection', 'close');
    const length = headers['content-length'];
    if (typeof length === 'string') this.remaining = Number(length);
    exchange.response.writeHead(status, raw);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    const { response } = this.exchange;
    if (this.remaining >= 0) {
      this.remaining -= chunk.length;
      if (this.remaining === 0) {
        endWith(response, chunk);
        return;
      }
    }
    if (response.write(chunk)) return;
    controller.pause();
    response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.isOver = true;
    const { response } = this.exchange;
    if (!response.writableEnded) response.end();
    this.outcome.answered();
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.outcome.failed(this, failureKind(error, this.isSent), error);
  }

  /** Ends the attempt: its connection is closed, its outcome no longer told. */
  abort(reason: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.abortedWith = reason;
    this.controller?.abort(reason);
  }
}

/** Up to here copying a piece into a string is cheaper than a second buffer to write. */
const SMALL = 4096;

/**
 * The last piece and the end in one write. Node joins a head with a string to one write, with a buffer to a gathered write
 * of two, which costs more than all stages of the pipeline. Latin-1 keeps every byte as it is.
 */
function endWith(response: ServerResponse, chunk: Buffer): void {
  if (chunk.length <= SMALL) response.end(chunk.toString('latin1'), 'latin1');
  else response.end(chunk);
}
