import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino';

import type { KernelConfig } from '../config/kernel.config.ts';
import { requestContext } from '../context/request-context.ts';
import type { ServiceInfo } from '../service/service-info.ts';
import { LogDestination } from './log-destination.ts';
import { openSinks } from './open-sinks.ts';
import { redact, redactText } from './redact.ts';

/** What JSON leaves bare and a terminal may act upon: DEL and C1 controls, line and paragraph separators. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g;

/**
 * One JSON line an entry: time (RFC 3339), level, service, version, instance; with work in hand request_id, trace_id,
 * span_id, principal_id. Guarantees: one entry is one line whatever is logged; no secret by name (`redact`), nor a
 * token within a text. Without a `destination` the lines go to the sinks that the configuration asks for.
 */
export async function createLogger(
  config: KernelConfig,
  service: ServiceInfo,
  destination?: DestinationStream,
): Promise<Logger> {
  const options: LoggerOptions = {
    level: config.LOG_LEVEL,
    base: { service: service.name, version: service.version, instance: service.instanceId },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label) => ({ level: label }),
      log: (entry) => redact(entry) as Record<string, unknown>,
      bindings: (bindings) => redact(bindings) as Record<string, unknown>,
    },
    // `redact` has made plain members of errors already.
    serializers: { err: (error: unknown) => error },
    mixin: workInHand,
    hooks: { streamWrite: oneSafeLine },
  };
  if (destination !== undefined) return pino(options, destination);
  const sinks = await openSinks(config, service, {
    failing: (sink, error) => logger.warn({ sink, err: error }, 'a log sink takes no lines'),
    recovered: (sink, dropped) =>
      logger.warn(
        { sink, dropped },
        'a log sink takes lines again; those it had no room for are lost',
      ),
  });
  const logger = pino(options, new LogDestination(sinks));
  return logger;
}

function workInHand(): object {
  const context = requestContext.current();
  if (context === undefined) return {};
  return {
    request_id: context.requestId,
    trace_id: context.trace.traceId,
    span_id: context.trace.spanId,
    ...(context.principal !== undefined && { principal_id: context.principal.id }),
    ...(context.caller !== undefined && { caller: context.caller }),
  };
}

/** Without credentials in its text, and without a character that a terminal may act upon. */
export function oneSafeLine(line: string): string {
  return redactText(line).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
