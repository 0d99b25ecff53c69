import { configOf } from '../config/config-of.ts';
import { envNumber } from '../config/numbers.ts';

/** How a start treats the outside engines it needs. */
export class EngineConfig extends configOf({
  /** How long a start waits for an engine that does not answer yet, before it ends. */
  ENGINE_WAIT_SECONDS: envNumber(60, 0, 3_600),
}) {}
