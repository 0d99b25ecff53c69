import { HttpFront } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { GatewayPipeline } from './gateway.pipeline.ts';

/** The pipeline in front of Nest's router: Nest sees only the gateway's own paths. */
@Injectable()
export class GatewayFront extends HttpFront {
  constructor(private readonly pipeline: GatewayPipeline) {
    super();
  }

  override handle(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    this.pipeline.handle(request, response, next);
  }

  override upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.pipeline.upgrade(request, socket, head);
  }
}
