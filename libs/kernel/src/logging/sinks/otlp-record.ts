import { type Attributes, type HrTime, SeverityNumber, TraceFlags } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';

const SEVERITY: Readonly<Record<string, SeverityNumber>> = {
  trace: SeverityNumber.TRACE,
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
};
/** The same of every record of a process. Their identity groups records. */
export interface RecordOrigin {
  resource: Resource;
  instrumentationScope: InstrumentationScope;
}

/**
 * A log line as an OpenTelemetry record: `msg` is its body; level, time, trace and span have places of their own; service,
 * version and instance are in the resource. Every other member is an attribute, members of members under `a.b`.
 * @throws SyntaxError for what is not JSON
 */
export function otlpRecord(line: string, origin: RecordOrigin): ReadableLogRecord {
  const {
    time,
    level,
    msg,
    trace_id: traceId,
    span_id: spanId,
    service: _service,
    version: _version,
    instance: _instance,
    ...rest
  } = JSON.parse(line) as Record<string, unknown>;
  const attributes: Attributes = {};
  flatten('', rest, attributes);
  const severityText = String(level);
  const { [severityText]: severityNumber } = SEVERITY;
  const hrTime = hrTimeOf(String(time));
  return {
    ...origin,
    hrTime,
    hrTimeObserved: hrTime,
    severityText,
    ...(severityNumber !== undefined && { severityNumber }),
    body: typeof msg === 'string' ? msg : '',
    attributes,
    droppedAttributesCount: 0,
    ...(typeof traceId === 'string' &&
      typeof spanId === 'string' && {
        spanContext: { traceId, spanId, traceFlags: TraceFlags.NONE },
      }),
  };
}

/** Lists become JSON text: an index knows no order of members within objects of a list. */
function flatten(prefix: string, value: object, into: Attributes): void {
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    const key = `${prefix}${name}`;
    if (typeof member === 'string' || typeof member === 'number' || typeof member === 'boolean') {
      into[key] = member;
    } else if (Array.isArray(member)) {
      into[key] = JSON.stringify(member);
    } else if (typeof member === 'object' && member !== null) {
      flatten(`${key}.`, member, into);
    }
  }
}

/** Seconds and nanoseconds since the epoch. */
function hrTimeOf(time: string): HrTime {
  const ms = Date.parse(time);
  return [Math.floor(ms / 1000), (ms % 1000) * 1_000_000];
}
