import { fileURLToPath } from 'node:url';

import {
  loadPackageDefinition,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type ServiceClientConstructor,
  status as Code,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

import type { Health } from '../lifecycle/health.ts';

const PROTO = fileURLToPath(new URL('../../proto/grpc/health/v1/health.proto', import.meta.url));
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

interface Request {
  service: string;
}
interface Response {
  status: number;
}

/**
 * `grpc.health.v1` (https://github.com/grpc/grpc/blob/master/doc/health-checking.md), which asks for no credential. Known
 * names: the empty one for the process, and each service it serves.
 */
export function addHealthService(
  server: Server,
  services: readonly string[],
  health: Health,
): void {
  const root = loadPackageDefinition(loadSync(PROTO, { enums: Number, defaults: true }));
  const { service } = (
    root as never as { grpc: { health: { v1: { Health: ServiceClientConstructor } } } }
  ).grpc.health.v1.Health;
  const known = new Set(['', ...services]);

  server.addService(service, {
    check(call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>) {
      if (!known.has(call.request.service)) {
        answer({ code: Code.NOT_FOUND, details: 'unknown service' });
        return;
      }
      health.ready().then(
        (report) => answer(null, { status: report.status === 200 ? SERVING : NOT_SERVING }),
        () => answer(null, { status: NOT_SERVING }),
      );
    },
    watch(call: ServerWritableStream<Request, Response>) {
      const status = () => {
        if (!known.has(call.request.service)) return SERVICE_UNKNOWN;
        return health.serving ? SERVING : NOT_SERVING;
      };
      let last = status();
      call.write({ status: last });
      const forget = health.onChange(() => {
        const now = status();
        if (now !== last) call.write({ status: now });
        last = now;
        // The process is stopping: a watch has no end of its own and would hold the server open.
        if (!health.serving) call.end();
      });
      call.on('close', forget);
      call.on('cancelled', forget);
    },
  });
}
