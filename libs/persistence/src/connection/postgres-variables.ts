import { z } from 'zod';
import { isCertificates, problemOfUrl } from './postgres-address.ts';

/** Schema of a variable that holds a PostgreSQL URL, for every library that opens a connection of its own. */
export const databaseUrl = z
  .string()
  .superRefine((url, context) => {
    const problem = problemOfUrl(url);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .meta({ example: 'postgres://orders_app:secret@127.0.0.1:5432/gatehouse?sslmode=verify-full' });

/** Schema of `DATABASE_TLS_CA`, which goes with it. */
export const databaseTlsCa = z
  .string()
  .refine(isCertificates, 'must be certificates in PEM form')
  .optional()
  .meta({ example: '"$(cat ca.pem)" (or DATABASE_TLS_CA_FILE=ca.pem)' });
