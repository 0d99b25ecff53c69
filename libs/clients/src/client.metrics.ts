import { Metrics } from '@gatehouse/kernel';
import { status } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import type { CallObserver } from './client.types.ts';

/** Calls as their caller saw them: retries are within, a stream is counted when it ends. */
@Injectable()
export class ClientMetrics {
  private readonly calls;
  private readonly seconds;

  constructor(metrics: Metrics) {
    this.calls = metrics.counter(
      'grpc_client_calls_total',
      'Finished gRPC calls to other services.',
      ['service', 'method', 'code'],
    );
    this.seconds = metrics.histogram(
      'grpc_client_call_duration_seconds',
      'Time of gRPC calls to other services.',
      ['service', 'method'],
    );
  }

  observerOf(service: string): CallObserver {
    return (method, code, milliseconds) => {
      this.calls.inc({ service, method, code: status[code] ?? 'UNKNOWN' });
      this.seconds.observe({ service, method }, milliseconds / 1000);
    };
  }
}
