import type { BadRequest } from './bad-request.ts';
import { faultsOf } from './refusal.ts';

const request: BadRequest = {
  name: 'x',
  operation: 'POST /v1/orders',
  method: 'POST',
  target: '/v1/orders',
  headers: {},
  pointers: ['/lines/0/count'],
  statuses: [400],
};
const problem = {
  type: '/problems/validation-failed',
  title: 'The request is not valid',
  status: 400,
  code: 'VALIDATION_FAILED',
  request_id: 'r-1',
  errors: [{ pointer: '/lines/0/count', message: 'must be a number' }],
};
const answer = (changes: object = {}, status = 400) => ({
  status,
  headers: { 'content-type': 'application/problem+json', 'x-request-id': 'r-1' },
  text: JSON.stringify({ ...problem, ...changes }),
});
const pointing = (pointer: string) => answer({ errors: [{ pointer, message: 'is wrong' }] });

describe('a refusal', () => {
  it('is as promised where it names what is wrong', () => {
    expect(faultsOf(request, answer())).toEqual([]);
    expect(faultsOf(request, pointing('/lines'))).toEqual([]);
    expect(faultsOf(request, pointing('/lines/0/count/more'))).toEqual([]);
  });

  it.each([
    ['an error of the platform', answer({ status: 500 }, 500)],
    ['another status in the body', answer({ status: 422 })],
    ['no problem', { ...answer(), headers: { 'content-type': 'application/json' } }],
    ['the id of another request', answer({ request_id: 'r-2' })],
    ['no code', answer({ code: '' })],
    ['a type of another code', answer({ type: 'about:blank' })],
    ['nothing that says what is wrong', answer({ errors: [] })],
    ['another place', pointing('/name')],
    ['the whole body', pointing('')],
    ['a stack', answer({ detail: 'at Object.create (/srv/node_modules/x.js:1:2)' })],
    ['SQL', answer({ detail: 'insert violates unique constraint' })],
    ['success', { ...answer(), status: 200 }],
  ])('is not with %s', (_name, other) => {
    expect(faultsOf(request, other)).not.toEqual([]);
  });

  it('of the token endpoint is of its own form', () => {
    const token = { ...request, target: '/oauth2/token' };
    const json = { status: 400, headers: { 'content-type': 'application/json' } };
    expect(faultsOf(token, { ...json, text: '{"error":"invalid_request"}' })).toEqual([]);
    expect(faultsOf(token, { ...json, text: '{"code":"INVALID"}' })).not.toEqual([]);
  });
});
