import {
  ATTRIBUTE,
  inSpan,
  requestContext,
  type SpanAttributes,
  SpanKind,
} from '@gatehouse/kernel';
import { sqlState } from './database-error.ts';
import { describeStatement } from './statement.ts';

/** Of no interest: what they take, the statements after them show. */
const UNRECORDED = /^\s*(?:START|BEGIN|SET|ROLLBACK|SAVEPOINT|RELEASE)\b/i;

/** Where statements go, as their spans say it. */
export function databaseAttributes(url: string, schema: string): SpanAttributes {
  const { hostname, port, pathname } = new URL(url);
  return {
    [ATTRIBUTE.DB_SYSTEM_NAME]: 'postgresql',
    [ATTRIBUTE.DB_NAMESPACE]: `${pathname.slice(1)}|${schema}`,
    ...(hostname !== '' && { [ATTRIBUTE.SERVER_ADDRESS]: hostname }),
    ...(port !== '' && { [ATTRIBUTE.SERVER_PORT]: Number(port) }),
  };
}

/** Runs a statement, as a span where the work in hand is recorded. Its parameters are never looked at. */
export function inStatementSpan<T>(
  database: SpanAttributes,
  sql: string,
  run: () => Promise<T>,
): Promise<T> {
  if (requestContext.current()?.span === undefined || UNRECORDED.test(sql)) return run();
  const { text, operation, collection, summary } = describeStatement(sql);
  const attributes = {
    ...database,
    [ATTRIBUTE.DB_QUERY_TEXT]: text,
    [ATTRIBUTE.DB_QUERY_SUMMARY]: summary,
    [ATTRIBUTE.DB_OPERATION_NAME]: operation,
    ...(collection !== undefined && { [ATTRIBUTE.DB_COLLECTION_NAME]: collection }),
  };
  return inSpan(summary, { kind: SpanKind.CLIENT, attributes }, async (span) => {
    try {
      return await run();
    } catch (error) {
      const state = sqlState(error);
      if (state !== undefined) span?.set({ [ATTRIBUTE.DB_RESPONSE_STATUS_CODE]: state });
      throw error;
    }
  });
}
