import { ApiDocument } from './api-document.ts';
import { documentFaults } from './document-faults.ts';

const problem = { content: { 'application/problem+json': {} }, description: 'Wrong' };
const get = {
  operationId: 'get',
  security: [{ bearer: [] }],
  parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
  responses: { 200: { description: 'The order' }, 401: problem, default: problem },
};
const faultsWith = (changes: object, more: object = {}) =>
  documentFaults(
    new ApiDocument({
      openapi: '3.1.0',
      info: { title: 'Test', version: '1' },
      paths: { '/v1/orders/{id}': { get: { ...get, ...changes } } },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      ...more,
    }),
  );

describe('the faults of a document', () => {
  it('are none in a good one', async () => {
    expect(await faultsWith({})).toEqual([]);
  });

  it.each([
    ['an operation without an id', { operationId: undefined }],
    ['one that does not say who may call it', { security: undefined }],
    ['an unknown security scheme', { security: [{ cookie: [] }] }],
    ['an undeclared path parameter', { parameters: [] }],
    ['no answer of success', { responses: { 401: problem, default: problem } }],
    ['no problem', { responses: { 200: get.responses[200], 401: problem } }],
    ['a reference that points at nothing', { 'x-see': { $ref: '#/components/schemas/Gone' } }],
    [
      'what the specification does not allow',
      { parameters: get.parameters[0] && [{ in: 'moon' }] },
    ],
  ])('name %s', async (_name, changes) => {
    expect(await faultsWith(changes)).not.toEqual([]);
  });

  it('name another version of OpenAPI', async () => {
    expect(await faultsWith({}, { openapi: '3.0.3' })).not.toEqual([]);
  });
});
