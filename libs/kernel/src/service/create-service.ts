import { dirname } from 'node:path';
import process from 'node:process';

import type { NestApplicationOptions, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { KernelConfig } from '../config/kernel.config.ts';
import { type ProcessScope, runInScope } from '../config/process-scope.ts';
import { createFastifyAdapter } from '../http/fastify.ts';
import { HttpServers } from '../http/http-servers.ts';
import { Lifecycle } from '../lifecycle/lifecycle.ts';
import { ServiceLogger } from '../logging/service-logger.ts';
import { traceBuses } from '../tracing/trace-buses.ts';
import { Tracing } from '../tracing/tracing.ts';
import { type Listener, Listeners } from './listeners.ts';
import { connectTransports } from './transports.ts';

export interface CreateServiceOptions {
  /** Instead of the process's own environment. */
  env?: Record<string, string>;
  /** Where the service's package.json is; default: at or above the main file. */
  packageDir?: string;
}

/** A service that has started. */
export interface RunningService {
  readonly app: NestFastifyApplication;
  /** `http://host:port` */
  readonly httpUrl: string;
  /** `host:port`; absent where the service serves no gRPC. */
  readonly grpcAddress?: string | undefined;
  readonly adminUrl: string;
  /** Stops in the order of STOP_PHASES. Safe to call again. */
  stop(): Promise<void>;
}

/**
 * Makes and starts a service, in the order of START_PHASES; `runService` does the same and adds signals and commands.
 * @throws ConfigError, StartFailed; whatever had started is stopped by then
 */
export function createService(
  module: Type,
  options: CreateServiceOptions = {},
): Promise<RunningService> {
  return runInScope(scopeOf(options), async () => {
    const service = await makeService(module);
    await service.start();
    return service;
  });
}

/** A service that is made and not yet started. */
export interface MadeService extends RunningService {
  start(): Promise<void>;
}

/** Fastify has our parsers; what is logged before the logger exists waits for it; a failure is thrown, not exited on. */
export const NEST_OPTIONS = {
  bodyParser: false,
  bufferLogs: true,
  autoFlushLogs: false,
  abortOnError: false,
} satisfies Partial<NestApplicationOptions>;

/** The scope that `options` ask for. */
export function scopeOf(options: CreateServiceOptions): ProcessScope {
  const main = process.argv[1];
  return {
    env: options.env ?? process.env,
    packageDir: options.packageDir ?? (main === undefined ? process.cwd() : dirname(main)),
  };
}

/** Makes every provider, so that all configuration is judged; opens nothing. Call within a scope. */
export async function makeService(module: Type): Promise<MadeService> {
  const servers = new HttpServers();
  // The one configuration needed before Nest makes the rest.
  const config = new KernelConfig();
  const app = await NestFactory.create<NestFastifyApplication>(
    module,
    createFastifyAdapter(servers, config.HTTP_BODY_LIMIT_BYTES),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as a class
    NEST_OPTIONS,
  );
  app.useLogger(app.get(ServiceLogger));
  app.flushLogs();
  const lifecycle = app.get(Lifecycle);
  const listeners = app.get(Listeners);
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= app.close());

  return {
    app,
    async start() {
      try {
        const transports = connectTransports(app, servers, config);
        await traceBuses(app, app.get(Tracing));
        await app.init();
        await app.getHttpAdapter().getInstance().ready();
        // After init, so that whatever libraries have registered in a phase goes first.
        transports.register();
        lifecycle.onStop('close', 'nest', close);
        await transports.openAdmin();
        await lifecycle.start();
      } catch (error) {
        await lifecycle.stop();
        await close();
        throw error;
      }
    },
    get httpUrl() {
      return open(listeners.http).url;
    },
    get adminUrl() {
      return open(listeners.admin).url;
    },
    get grpcAddress() {
      return listeners.grpc?.url;
    },
    stop: () => lifecycle.stop(),
  };
}

function open(listener: Listener | undefined): Listener {
  if (listener === undefined) throw new Error('the service has not started');
  return listener;
}
