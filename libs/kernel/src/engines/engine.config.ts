import { z } from 'zod';

import { configOf } from '../config/config-of.ts';

/** How a start treats the outside engines it needs. */
export class EngineConfig extends configOf({
  /** How long a start waits for an engine that does not answer yet, before it ends. */
  ENGINE_WAIT_SECONDS: z.coerce.number().min(0).max(3_600).default(60).meta({ example: '60' }),
}) {}
