/**
 * What every process is: start and stop, configuration, logs, traces, metrics, health, errors and the request context. It
 * knows no service and no business rule.
 */
export { ConfigError, type ConfigProblem } from './config/config-error.ts';
export { type ConfigClass, configOf, embeddedDefault } from './config/config-of.ts';
export { envInteger, envNumber } from './config/numbers.ts';
export { KernelConfig } from './config/kernel.config.ts';
export { currentScope, type ProcessScope, runInScope } from './config/process-scope.ts';
export { followVariable, resolveVariable } from './config/variable.ts';
export { newId } from './context/new-id.ts';
export {
  newRequestContext,
  type Principal,
  type RequestContext,
  requestContext,
} from './context/request-context.ts';
export {
  childSpan,
  continueTrace,
  formatTraceparent,
  newTrace,
  parseTraceparent,
  type TraceContext,
} from './context/trace-context.ts';
export {
  awaitEngine,
  type AwaitEngineOptions,
  type EngineAddress,
  EngineUnusable,
} from './engines/await-engine.ts';
export { EngineConfig } from './engines/engine.config.ts';
export { asPlatformError } from './errors/as-platform-error.ts';
export { type DeadLetterReason, toDeadLetter } from './errors/dead-letter.ts';
export { fromGrpcError, grpcCodeOf, toGrpcError } from './errors/grpc-error.ts';
export { type Problem, type ProblemDetails, statusOf, toProblem } from './errors/problem.ts';
export { callerVerified } from './grpc/grpc-span.ts';
export { ADMIN_ROUTE, AdminRoute } from './http/admin-route.ts';
export { contextOf, openContext, plainAddress } from './http/http-context.ts';
export { HttpFront } from './http/http-front.ts';
export { type BeforeBody, HttpHooks } from './http/http-hooks.ts';
export { isAdminRequest } from './http/http-servers.ts';
export { Location } from './http/location.decorator.ts';
export { MAX_JSON_DEPTH, parseJson, textProblem } from './http/json-rules.ts';
export {
  DEFAULT_CONSUMES,
  HttpRoute,
  type RouteSettings,
  routeSettingsOf,
} from './http/route-settings.ts';
export { canonicalJson } from './json/canonical-json.ts';
export {
  certificateFindings,
  Checkup,
  configuredCertificates,
  type Finding,
} from './lifecycle/checkup.ts';
export { type Command, CommandRegistry } from './lifecycle/command-registry.ts';
export { type DependencyState, Health, type HealthReport } from './lifecycle/health.ts';
export {
  Lifecycle,
  START_PHASES,
  StartFailed,
  type StartPhase,
  STOP_PHASES,
  type StopPhase,
} from './lifecycle/lifecycle.ts';
export {
  LOG_LEVELS,
  LogLevel,
  type LogLevelName,
  type LogLevelState,
} from './logging/log-level.ts';
export { setLogSink } from './logging/log-sink.ts';
export { isSecretName, redact } from './logging/redact.ts';
export { HistogramSeries } from './metrics/histogram-series.ts';
export { type CounterLabels, DURATION_BUCKETS, Metrics, type Show } from './metrics/metrics.ts';
export { SeriesHistogram } from './metrics/series-histogram.ts';
export { startAtZero } from './metrics/start-at-zero.ts';
export { Answers } from './openapi/answers.decorator.ts';
export { toJsonSchema } from './openapi/json-schema.ts';
export { buildOpenApi } from './openapi/openapi.ts';
export { documentRequestHeader, type RequestHeader } from './openapi/request-header.ts';
export {
  createService,
  type CreateServiceOptions,
  type RunningService,
} from './service/create-service.ts';
export { KernelModule, type KernelOptions } from './service/kernel.module.ts';
export { type Listener, Listeners } from './service/listeners.ts';
export { runService } from './service/run-service.ts';
export { ServiceInfo } from './service/service-info.ts';
export { ATTRIBUTE, DECISION, GATEHOUSE } from './tracing/attributes.ts';
export { type Attributes as SpanAttributes, SpanKind } from '@opentelemetry/api';
export { inSpan, withSpan } from './tracing/in-span.ts';
export { RecordedSpan, type SpanOptions, type SpanRecorder } from './tracing/recorded-span.ts';
export { spanMetrics, Tracing } from './tracing/tracing.ts';
export {
  Decimal,
  emailSchema,
  line,
  paragraphs,
  Timestamp,
  TimestampInput,
  Uuid,
} from './validation/schemas.ts';
export { ValidationPipe, violationsOf } from './validation/validation.pipe.ts';
