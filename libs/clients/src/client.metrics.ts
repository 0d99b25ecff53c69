import { Metrics, requestContext } from '@gatehouse/kernel';
import { status } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import type { CallObserver } from './client.types.ts';

/** Calls as their caller saw them: retries are within, a stream is counted when it ends. */
@Injectable()
export class ClientMetrics {
  private readonly calls;

  constructor(metrics: Metrics) {
    this.calls = metrics.seriesHistogram(
      'rpc_client_call_duration_seconds',
      'Time of gRPC calls to other services; of a stream, how long it was open',
      ['upstream', 'rpc_method', 'rpc_response_status_code'],
    );
  }

  observerOf(service: string): CallObserver {
    return (method, code, milliseconds) => {
      const trace = requestContext.current()?.trace;
      this.calls
        .series(service, method, status[code] ?? 'UNKNOWN')
        .observe(milliseconds / 1000, trace?.sampled === true ? trace.traceId : undefined);
    };
  }
}
