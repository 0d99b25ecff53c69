import type { DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';

import { KernelConfig } from '../config/kernel.config.ts';
import { ServiceInfo } from '../service/service-info.ts';
import { createLogger } from './logger.ts';
import { logSink } from './log-sink.ts';

/**
 * nestjs-pino over our logger. Its middleware stays out (`forRoutes: []`): the request context already carries what it
 * would add, for every transport, and one hook writes one line a request.
 */
export function kernelLoggerModule(): DynamicModule {
  return LoggerModule.forRootAsync({
    inject: [KernelConfig, ServiceInfo],
    useFactory: async (config: KernelConfig, service: ServiceInfo) => ({
      pinoHttp: {
        logger: await createLogger(config, service, logSink()),
        // pino-http would put its own error serializer over ours.
        serializers: { err: (error: unknown) => error },
        wrapSerializers: false,
      },
      forRoutes: [],
    }),
  });
}
