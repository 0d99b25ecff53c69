import { asPlatformError } from './as-platform-error.ts';

/** Why an event could not be handled, as it is kept with the dead letter. Read by operators only. */
export interface DeadLetterReason {
  code: string;
  kind: string;
  message: string;
  stack?: string;
}

/** The event transport's mapper: unlike the others it keeps what really happened, for it never leaves the service. */
export function toDeadLetter(thrown: unknown): DeadLetterReason {
  const error = asPlatformError(thrown);
  const origin = error.cause instanceof Error && error.kind === 'internal' ? error.cause : error;
  return {
    code: error.code,
    kind: error.kind,
    message: thrown instanceof Error ? origin.message : String(thrown),
    ...(origin.stack !== undefined && { stack: origin.stack }),
  };
}
