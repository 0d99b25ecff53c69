import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import protobuf from 'protobufjs';

/** As much of OTLP's messages as is asked about here. */
const REQUEST = protobuf
  .parse(
    `syntax = "proto3";
    message Request { repeated ResourceSpans resource_spans = 1; }
    message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
    message Resource { repeated Attribute attributes = 1; }
    message Attribute { string key = 1; Value value = 2; }
    message Value { string string_value = 1; }
    message ScopeSpans { repeated Span spans = 2; }
    message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; }`,
  )
  .root.lookupType('Request');

interface Sent {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue: string } }[] };
    scopeSpans: {
      spans: { traceId: Buffer; spanId: Buffer; parentSpanId: Buffer; name: string }[];
    }[];
  }[];
}

export interface ReceivedSpan {
  service: string;
  name: string;
  traceId: string;
  id: string;
  parent: string;
}

/** Takes spans as a Collector does, over OTLP/HTTP on a free port, and keeps them. */
export class SpanReceiver {
  readonly spans: ReceivedSpan[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<SpanReceiver> {
    const server = createServer();
    const receiver = new SpanReceiver(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        receiver.take(Buffer.concat(chunks));
        response.setHeader('content-type', 'application/x-protobuf');
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  /** For processes: everything is recorded, and sent here soon. */
  get env(): Record<string, string> {
    const { port } = this.server.address() as AddressInfo;
    return {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${port}/v1/traces`,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take(body: Buffer): void {
    const options = { defaults: true, bytes: Buffer };
    const sent = REQUEST.toObject(REQUEST.decode(body), options) as Sent;
    for (const { resource, scopeSpans } of sent.resourceSpans) {
      const named = resource.attributes.find(({ key }) => key === 'service.name');
      const service = named?.value.stringValue ?? '';
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          service,
          name: span.name,
          traceId: span.traceId.toString('hex'),
          id: span.spanId.toString('hex'),
          parent: span.parentSpanId.toString('hex'),
        });
      }
    }
  }
}
