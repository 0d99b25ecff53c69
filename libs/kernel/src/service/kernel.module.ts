import { type GrpcContract } from '@gatehouse/contracts-platform';
import { type DynamicModule, Global, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';

import { KernelConfig } from '../config/kernel.config.ts';
import { AllErrorsFilter } from '../errors/all-errors.filter.ts';
import { HttpFront } from '../http/http-front.ts';
import { HttpHooks } from '../http/http-hooks.ts';
import { Checkup } from '../lifecycle/checkup.ts';
import { CommandRegistry } from '../lifecycle/command-registry.ts';
import { HealthController } from '../lifecycle/health.controller.ts';
import { Health } from '../lifecycle/health.ts';
import { Lifecycle } from '../lifecycle/lifecycle.ts';
import { kernelLoggerModule } from '../logging/kernel-logger.module.ts';
import { LogLevel } from '../logging/log-level.ts';
import { Metrics } from '../metrics/metrics.ts';
import { ServiceLogger } from '../logging/service-logger.ts';
import { TracingConfig } from '../tracing/tracing.config.ts';
import { Tracing } from '../tracing/tracing.ts';
import { ValidationPipe } from '../validation/validation.pipe.ts';
import { Listeners } from './listeners.ts';
import { ServiceInfo } from './service-info.ts';

export interface KernelOptions {
  /** What the service serves over gRPC; none: no gRPC listener. */
  grpc?: readonly GrpcContract[];
  /** A raw handler in front of the HTTP router. */
  front?: Type<HttpFront>;
}

/** What `forService` was called with. */
export const KERNEL_OPTIONS = Symbol('kernel options');

/** What higher libraries inject. */
const open = [Listeners, Lifecycle, CommandRegistry, Checkup, Health, LogLevel, Metrics, HttpHooks];

/** Apart, because the logger is made from it before anything else. */
@Global()
@Module({ providers: [KernelConfig, ServiceInfo], exports: [KernelConfig, ServiceInfo] })
class KernelConfigModule {}

/** Imported once, by a service's own module. Everything it provides is global. */
@Global()
@Module({})
export class KernelModule {
  static forService(options: KernelOptions = {}): DynamicModule {
    return {
      module: KernelModule,
      imports: [
        KernelConfigModule,
        kernelLoggerModule(),
        TerminusModule.forRoot({ logger: false }),
        // Apart from our own graph of modules: it is CommonJS that requires Nest's ESM, which Jest refuses while that graph
        // is being linked.
        import('../metrics/metrics.module.ts').then(({ metricsModule }) => metricsModule()),
      ],
      controllers: [HealthController],
      providers: [
        ...open,
        TracingConfig,
        {
          provide: Tracing,
          useFactory: (...parts: Parameters<typeof Tracing.start>) => Tracing.start(...parts),
          inject: [TracingConfig, ServiceInfo, Metrics, Lifecycle],
        },
        ServiceLogger,
        { provide: KERNEL_OPTIONS, useValue: options },
        { provide: APP_FILTER, useClass: AllErrorsFilter },
        { provide: APP_PIPE, useClass: ValidationPipe },
        ...(options.front === undefined
          ? []
          : [options.front, { provide: HttpFront, useExisting: options.front }]),
      ],
      exports: [...open, Tracing],
    };
  }
}
