/** A line that a process has logged. */
export type LogLine = Record<string, unknown> & { msg?: string; trace_id?: string };

/** Those lines that belong to a trace. */
export function linesOf(log: string, traceId: string): LogLine[] {
  return log
    .split('\n')
    .filter((line) => line.includes(traceId))
    .map((line) => JSON.parse(line) as LogLine)
    .filter((line) => line.trace_id === traceId);
}
