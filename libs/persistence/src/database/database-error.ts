import { ServiceUnavailable } from '@gatehouse/contracts-platform';

/** SQLSTATE of an error from pg or TypeORM, if it has one (PostgreSQL manual, appendix A). */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Whether a row that must be unique is there already; of this constraint or index, if one is named. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (sqlState(error) !== '23505') return false;
  return constraint === undefined || (error as { constraint?: string }).constraint === constraint;
}

/** `lock_timeout` ran out while another transaction held what this one wants. */
export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === '55P03';
}

/** Two transactions could not be put in an order: repeating one from its start is the cure. */
export function isOrderConflict(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

const CONNECTION_STATES = new Set(['57P01', '57P02', '57P03', '08000', '08003', '08006', '53300']);
const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
// node-postgres gives these no code.
const CONNECTION_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

/** The database, or a connection to it, was not there; the statement itself may be fine. */
function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, name } = error as { code?: unknown; name: string };
  if (typeof code === 'string' && (CONNECTION_STATES.has(code) || CONNECTION_CODES.has(code))) {
    return true;
  }
  return name === 'QueryRunnerAlreadyReleasedError' || CONNECTION_MESSAGES.test(error.message);
}

/** A statement of ours found no connection, or lost it. To callers a plain SERVICE_UNAVAILABLE. */
export class DatabaseUnavailable extends ServiceUnavailable {}

/** What a caller is told in place of a connection error; other errors are returned as they are. */
export function toCallerError(error: unknown): unknown {
  if (!isConnectionError(error)) return error;
  return new DatabaseUnavailable('The database cannot be reached just now', {
    cause: error,
    retryAfterSeconds: 1,
  });
}
