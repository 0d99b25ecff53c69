import { Logger } from '@nestjs/common';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Params, PARAMS_PROVIDER_TOKEN, PinoLogger } from 'nestjs-pino';

import type { KernelConfig } from '../config/kernel.config.ts';
import { addHealthService } from '../grpc/grpc-health.ts';
import { GrpcServer } from '../grpc/grpc-server.ts';
import { HttpFront } from '../http/http-front.ts';
import { HttpHooks } from '../http/http-hooks.ts';
import type { HttpServers } from '../http/http-servers.ts';
import { Health } from '../lifecycle/health.ts';
import { Lifecycle } from '../lifecycle/lifecycle.ts';
import { Metrics } from '../metrics/metrics.ts';
import { publishProcessMetrics } from '../metrics/process-metrics.ts';
import { Tracing } from '../tracing/tracing.ts';
import { KERNEL_OPTIONS, type KernelOptions } from './kernel.module.ts';
import { advertised, Listeners } from './listeners.ts';
import { RequestLog } from './request-log.ts';
import { ServiceInfo } from './service-info.ts';

/**
 * Ties the listeners of a service to its lifecycle.
 * Start: the admin listener is open before the first phase, so that whoever asks is told what a start waits for; the others
 * open at the end of `transports`; the service serves from the end of `ready`.
 * Stop: it says it is unready (and answers on, asking clients to leave their connections), gives routes time to drain, stops
 * accepting, and waits for what is in flight, in all no longer than SHUTDOWN_TIMEOUT_SECONDS.
 */
export function connectTransports(
  app: NestFastifyApplication,
  servers: HttpServers,
  config: KernelConfig,
): { register(): void; openAdmin(): Promise<void> } {
  const options = app.get<KernelOptions>(KERNEL_OPTIONS);
  const health = app.get(Health);
  const logger = new Logger('Service');
  const metrics = app.get(Metrics);
  publishProcessMetrics(metrics, app.get(ServiceInfo), config);
  const log = new RequestLog(metrics, requestLogger(app));
  const tracing = app.get(Tracing);
  servers.hooks = app.get(HttpHooks);
  servers.tracing = tracing;
  servers.answered = log.http;
  if (options.front !== undefined) servers.front = app.get(HttpFront);

  metrics.readGauge('http_server_active_requests', 'HTTP requests in hand', [], (show) =>
    show(servers.active),
  );

  const contracts = options.grpc ?? [];
  let grpc: GrpcServer | undefined;
  metrics.readGauge(
    'rpc_server_active_calls',
    'gRPC calls in hand, open streams among them',
    [],
    (show) => show(grpc?.active ?? 0),
  );
  if (contracts.length > 0) {
    grpc = new GrpcServer(contracts, { host: config.GRPC_HOST, port: config.GRPC_PORT });
    grpc.report = log.grpc;
    grpc.tracing = tracing;
    const names = contracts.map((contract) => `${contract.package}.${contract.serviceName}`);
    grpc.onServer = (server) => addHealthService(server, names, health);
    app.connectMicroservice<MicroserviceOptions>({ strategy: grpc }, { inheritAppConfig: true });
  }

  const listeners = app.get(Listeners);

  return {
    async openAdmin() {
      const admin = await servers.listenForAdmin({
        host: config.ADMIN_HOST,
        port: config.ADMIN_PORT,
      });
      // Loopback stays loopback, whatever name this instance has for others.
      const open = ['0.0.0.0', '::'].includes(config.ADMIN_HOST);
      listeners.admin = advertised(
        'http://',
        config.ADMIN_HOST,
        admin.port,
        open ? config.ADVERTISE_HOST : undefined,
      );
    },
    register() {
      const lifecycle = app.get(Lifecycle);
      lifecycle.onStart('transports', 'listeners', async () => {
        if (grpc !== undefined) {
          await app.startAllMicroservices();
          listeners.grpc = advertised('', config.GRPC_HOST, grpc.port, config.ADVERTISE_HOST);
        }
        const http = await servers.listen({ host: config.HTTP_HOST, port: config.HTTP_PORT });
        listeners.http = advertised('http://', config.HTTP_HOST, http.port, config.ADVERTISE_HOST);
      });
      lifecycle.onStart('ready', 'serving', () => {
        health.serving = true;
        const { http, grpc: rpc, admin } = listeners;
        logger.log({ http: http?.url, grpc: rpc?.url, admin: admin?.url }, 'ready');
      });
      lifecycle.onStop('unready', 'serving', () => {
        health.serving = false;
        servers.beginClosing();
      });
      lifecycle.onStop('drain', 'routes', () => wait(config.SHUTDOWN_DRAIN_SECONDS * 1000));
      lifecycle.onStop('close-listeners', 'listeners', () => {
        servers.stopAccepting();
        grpc?.stopAccepting();
      });
      lifecycle.onStop('in-flight', 'requests and calls', async () => {
        const timeoutMs = config.SHUTDOWN_TIMEOUT_SECONDS * 1000;
        await Promise.all([servers.finish(timeoutMs), grpc?.finish(timeoutMs)]);
      });
    },
  };
}

function requestLogger(app: NestFastifyApplication): PinoLogger {
  const logger = new PinoLogger(app.get<Params>(PARAMS_PROVIDER_TOKEN));
  logger.setContext('Requests');
  return logger;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
