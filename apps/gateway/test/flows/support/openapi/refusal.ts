import type { BadRequest } from './bad-request.ts';
import type { WireAnswer } from './wire.ts';

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  request_id: string;
  errors?: { pointer: string; message: string }[];
}

/** Not 401, 403 and 429: they would hide whether the input was judged at all. */
const REFUSALS = [400, 404, 405, 409, 412, 413, 414, 415, 422, 428];
/** Traces of an implementation: none of the caller's affair. */
const INTERNALS = /node_modules|\.ts:\d|\.js:\d|at \w+ \(|SELECT |INSERT |violates|syntax error at/;

/** What is wrong with an answer to a request that was to be refused; nothing where it is as promised. */
export function faultsOf(request: BadRequest, answer: WireAnswer): string[] {
  const { status, text } = answer;
  const expected = request.statuses ?? REFUSALS;
  const faults: string[] = [];
  if (!expected.includes(status)) faults.push(`status ${status}, not ${expected.join(' or ')}`);
  if (INTERNALS.test(text)) faults.push('it shows what is inside');
  if (status < 400) return faults;
  return [...faults, ...(isOAuthForm(request, answer) ? [] : problemFaults(request, answer))];
}

/** The problem in an answer; undefined where it holds none. */
export function problemIn({ headers, text }: WireAnswer): Problem | undefined {
  if (!String(headers['content-type']).startsWith('application/problem+json')) return undefined;
  return JSON.parse(text) as Problem;
}

function problemFaults(request: BadRequest, answer: WireAnswer): string[] {
  const problem = problemIn(answer);
  if (problem === undefined)
    return [`no problem+json but ${String(answer.headers['content-type'])}`];
  const faults: string[] = [];
  const { code, request_id, status, title, type, errors = [], detail } = problem;
  if (!/^[A-Z][A-Z0-9_]+$/.test(code)) faults.push(`code ${code}`);
  if (status !== answer.status) faults.push(`says it is ${status}`);
  if (title === '') faults.push('no title');
  if (type !== `/problems/${code.toLowerCase().replaceAll('_', '-')}`) faults.push(`type ${type}`);
  if (request_id === '' || request_id !== answer.headers['x-request-id']) {
    faults.push(`request_id ${request_id}`);
  }
  if (code === 'VALIDATION_FAILED' && errors.length === 0 && detail === undefined) {
    faults.push('it does not say what is wrong');
  }
  if (request.pointers !== undefined && code === 'VALIDATION_FAILED') {
    const named = errors.map(({ pointer }) => pointer);
    if (!request.pointers.some((pointer) => named.some((each) => points(each, pointer)))) {
      faults.push(`names ${named.join(' and ') || 'nothing'}, not ${request.pointers.join()}`);
    }
  }
  return faults;
}

/** At the place itself, within it, or at the member that holds it: a rule may be about several parts. */
function points(named: string, wanted: string): boolean {
  const holds = named !== '' && wanted.startsWith(`${named}/`);
  return named === wanted || named.startsWith(`${wanted}/`) || holds;
}

/** RFC 6749 section 5.2: the token endpoint answers in its own form, unless the gateway refused the request before. */
function isOAuthForm({ target }: BadRequest, { headers, text }: WireAnswer): boolean {
  if (!target.startsWith('/oauth2/')) return false;
  if (!String(headers['content-type']).startsWith('application/json')) return false;
  const { error } = JSON.parse(text) as { error?: unknown };
  return typeof error === 'string' && /^[a-z_]+$/.test(error);
}
