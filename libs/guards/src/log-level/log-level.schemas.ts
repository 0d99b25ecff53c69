import { LOG_LEVELS, Timestamp } from '@gatehouse/kernel';
import { z } from 'zod';

/** A day: what is looked for for longer wants LOG_LEVEL. */
const MAX_SECONDS = 86_400;

export const LogLevelBody = z
  .strictObject({
    level: z.enum(LOG_LEVELS).meta({ example: 'debug' }),
    for_seconds: z
      .int()
      .min(1)
      .max(MAX_SECONDS)
      .default(600)
      .describe('How long it holds; then LOG_LEVEL does again')
      .meta({ example: 600 }),
  })
  .meta({ id: 'LogLevelChange' });
export type LogLevelBody = z.infer<typeof LogLevelBody>;

/** Of one process. */
export const InstanceLevel = z.object({
  level: z.string(),
  configured_level: z.string().describe('LOG_LEVEL'),
  until: Timestamp.nullable().describe('Null: the level is the configured one'),
});
export type InstanceLevel = z.infer<typeof InstanceLevel>;

export const LogLevelsView = z
  .object({
    service: z.string(),
    instances: z.array(
      z.object({
        instance_id: z.string(),
        level: z.string().nullable().describe('Null: the instance did not answer'),
        configured_level: z.string().nullable().describe('LOG_LEVEL'),
        until: Timestamp.nullable().describe('Null: the level is the configured one'),
        problem: z.string().nullable().describe('Why the instance did not answer'),
      }),
    ),
  })
  .meta({ id: 'LogLevels' });
export type LogLevelsView = z.infer<typeof LogLevelsView>;
