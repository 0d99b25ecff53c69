import { Uuid } from '@gatehouse/kernel';
import { z } from 'zod';

/** RFC 6749 3.2: a parameter without a value is as if omitted. */
const parameter = (max: number) =>
  z
    .string()
    .max(max)
    .transform((text) => (text === '' ? undefined : text))
    .optional();

/** RFC 6749: what is not known is ignored, what stands twice is refused (it arrives as a list). */
export const TokenRequest = z
  .object({
    grant_type: parameter(100),
    refresh_token: parameter(512),
    scope: parameter(2000),
    client_id: parameter(255),
    client_secret: parameter(512),
  })
  .meta({ id: 'TokenRequest' });
export type TokenRequest = z.infer<typeof TokenRequest>;

/** RFC 6749 5.1. */
export const TokenResponse = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().describe('Seconds'),
    refresh_token: z.string().optional(),
    session_id: Uuid.optional(),
  })
  .meta({ id: 'TokenResponse' });

/** RFC 6749 5.2. */
export const TokenError = z
  .object({ error: z.string(), error_description: z.string().optional() })
  .meta({ id: 'TokenError' });
