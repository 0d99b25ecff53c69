import { emailSchema, line, Timestamp, Uuid } from '@gatehouse/kernel';
import { pageOf, PageQuery } from '@gatehouse/persistence';
import { z } from 'zod';

/** Longer than any password that is accepted: judged by the password rules, which say what is wrong. */
const NewPassword = z
  .string()
  .min(1)
  .max(1024)
  .meta({ example: 'correct horse battery staple', format: 'password' });
const Password = z.string().min(1).max(1024).meta({ format: 'password' });
const RefreshTokenText = z.string().min(1).max(512);

export const RegisterBody = z
  .strictObject({
    email: emailSchema,
    password: NewPassword,
    display_name: line(200).optional().meta({ example: 'Ada Lovelace' }),
  })
  .meta({ id: 'Register' });
export type RegisterBody = z.infer<typeof RegisterBody>;

export const RegisteredBody = z
  .object({ status: z.literal('accepted') })
  .meta({ id: 'Registered' });

export const LogInBody = z
  .strictObject({
    email: emailSchema,
    password: Password,
    organization_id: Uuid.optional().describe('The organization the tokens are for'),
  })
  .meta({ id: 'LogIn' });
export type LogInBody = z.infer<typeof LogInBody>;

export const RefreshBody = z
  .strictObject({ refresh_token: RefreshTokenText })
  .meta({ id: 'Refresh' });
export type RefreshBody = z.infer<typeof RefreshBody>;

export const TokensBody = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().describe('Seconds'),
    refresh_token: z.string(),
    session_id: Uuid,
  })
  .meta({ id: 'Tokens' });
export type TokensView = z.infer<typeof TokensBody>;

export const ChangePasswordBody = z
  .strictObject({ current_password: Password, new_password: NewPassword })
  .meta({ id: 'ChangePassword' });
export type ChangePasswordBody = z.infer<typeof ChangePasswordBody>;

export const SessionBody = z
  .object({
    id: Uuid,
    client_id: z.string(),
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    current: z.boolean().describe('The session of the token this was asked with'),
    user_agent: z.string(),
    ip: z.string(),
  })
  .meta({ id: 'Session' });
export type SessionView = z.infer<typeof SessionBody>;

export const SessionPage = pageOf(SessionBody).meta({ id: 'SessionPage' });
export const ListSessionsQuery = z.strictObject({ ...PageQuery });
export type ListSessionsQuery = z.infer<typeof ListSessionsQuery>;

/** The messages of the gRPC contract, as far as they are judged here. */
export const WatchMessage = z.object({ after: z.int().min(0) });
export const ListMessage = z.object({ after: z.int().min(0), limit: z.int().min(0).max(1000) });
export const CreateCredentialMessage = z.object({
  userId: Uuid,
  password: z.string().min(1).max(1024),
});
export const ExchangeMessage = z.object({
  apiKey: z.string().max(1024).nullish(),
  sessionCookie: z.string().max(4096).nullish(),
});
