import { ApiDocument, type Operation } from './api-document.ts';
import { badRequestsFor } from './bad-requests.ts';

const id = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };
const document = new ApiDocument({
  paths: {
    '/v1/orders': {
      get: {
        operationId: 'list',
        security: [],
        parameters: [{ name: 'size', in: 'query', schema: { type: 'integer' } }],
      },
    },
    '/v1/orders/{id}': {
      patch: {
        operationId: 'change',
        parameters: [
          id,
          { name: 'If-Match', in: 'header', required: true, schema: { type: 'string' } },
        ],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { type: 'object', properties: {} } } },
        },
      },
    },
    '/v1/forms': {
      post: {
        operationId: 'form',
        requestBody: {
          content: {
            'application/x-www-form-urlencoded': {
              schema: { type: 'object', required: ['a'], properties: { a: { type: 'string' } } },
            },
          },
        },
      },
    },
  },
});
const [list, change, form] = document.operations as [Operation, Operation, Operation];
const find = (operation: Operation, name: string) => {
  const found = badRequestsFor(document, operation).find((each) => each.name.endsWith(name));
  if (found === undefined) throw new Error(`no bad request ${name}`);
  return found;
};

describe('the bad requests of an operation', () => {
  it('know who may call it', () => {
    expect([list.isPublic, change.isPublic]).toEqual([true, false]);
  });

  it('have one bad query parameter each, and name it', () => {
    expect(find(list, "?size is '0x10'")).toMatchObject({
      target: '/v1/orders?size=0x10',
      pointers: ['/query/size'],
      statuses: [400],
    });
    expect(find(list, 'size is there twice').target).toBe('/v1/orders?size=1&size=2');
  });

  it('have a bad path and an otherwise good request', () => {
    expect(find(change, '{id} is a slash')).toMatchObject({
      method: 'PATCH',
      target: '/v1/orders/a%2fb',
      headers: { 'if-match': '*', 'content-type': 'application/json' },
    });
  });

  it('have bad header fields where the operation reads them', () => {
    expect(find(change, 'if-match is 7')).toMatchObject({
      target: '/v1/orders/01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11',
      headers: { 'if-match': '7' },
      pointers: ['/header/if-match'],
    });
  });

  it('have bodies that are no JSON, too long, or of another media type', () => {
    expect(find(change, '10,000 arrays deep').body?.length).toBe(20_000);
    expect(find(change, 'oversized, of no stated length')).toMatchObject({
      chunked: true,
      statuses: [413],
    });
    expect(find(change, 'plain text')).toMatchObject({
      headers: { 'content-type': 'text/plain' },
      statuses: [415],
    });
  });

  it('are forms where the operation takes one', () => {
    expect(find(form, 'a twice').body?.toString()).toBe('a=sample&a=sample');
    expect(find(form, 'a missing').body?.toString()).toBe('');
  });

  it('bring a body where none is taken', () => {
    expect(find(list, 'malformed JSON').statuses).toEqual([400, 415]);
  });
});
