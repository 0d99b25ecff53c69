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
/** Whatever was thrown. */
const OBJECTS = new Set(['err', 'cause']);

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
    span_id: spanId = '',
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
    ...(typeof traceId === 'string' && {
      spanContext: { traceId, spanId: String(spanId), traceFlags: TraceFlags.NONE },
    }),
  };
}

/**
 * A field has one type, because an index refuses a whole record for one that differs: lists become JSON text, and so does
 * what is not an object under a name that usually is one. Error codes are texts, some of them of digits alone.
 */
function flatten(prefix: string, value: object, into: Attributes): void {
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    const key = `${prefix}${name}`;
    if (name === 'code' && (typeof member === 'string' || typeof member === 'number')) {
      into[key] = String(member);
    } else if (OBJECTS.has(name) && (typeof member !== 'object' || member === null)) {
      into[`${key}.message`] = String(member);
    } else if (
      typeof member === 'string' ||
      typeof member === 'number' ||
      typeof member === 'boolean'
    ) {
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
