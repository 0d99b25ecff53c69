import { mergeOpenApi } from './merge-openapi.ts';

const schema = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const users = {
  service: 'identity',
  serves: new Set(['GET /v1/users', 'POST /v1/users']),
  document: {
    openapi: '3.1.0',
    paths: {
      '/v1/users': {
        get: { operationId: 'list', responses: { 200: schema('Page') } },
        post: { operationId: 'create' },
        delete: { operationId: 'hidden' },
      },
      '/.well-known/gatehouse/manifest': { get: {} },
    },
    components: { schemas: { Page: { type: 'object' }, Problem: { type: 'object' } } },
  },
};
const roles = {
  service: 'authz',
  serves: new Set(['GET /v1/roles']),
  document: {
    paths: { '/v1/roles': { get: { operationId: 'list', responses: { 200: schema('Page') } } } },
    components: {
      schemas: { Page: { type: 'array', items: schema('Problem') }, Problem: { type: 'object' } },
    },
  },
};
interface Merged {
  openapi: string;
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, object> }>>;
  components: { schemas: Record<string, object>; securitySchemes: object };
}
const merged = mergeOpenApi([users, roles], '1.2.3') as Merged;

describe('the merged document', () => {
  it('holds what the gateway serves and nothing else', () => {
    expect(merged.openapi).toBe('3.1.0');
    expect(Object.keys(merged.paths)).toEqual(['/v1/users', '/v1/roles']);
    expect(Object.keys(merged.paths['/v1/users'] ?? {})).toEqual(['get', 'post']);
  });

  it('keeps components of one name and two contents apart, references included', () => {
    expect(Object.keys(merged.components.schemas)).toEqual(['Page', 'Problem', 'authz.Page']);
    expect(merged.paths['/v1/users']?.get?.responses['200']).toEqual(schema('Page'));
    expect(merged.paths['/v1/roles']?.get?.responses['200']).toEqual(schema('authz.Page'));
    expect(merged.components.schemas['authz.Page']).toMatchObject({ items: schema('Problem') });
  });

  it('has each operation id once', () => {
    const ids = Object.values(merged.paths).flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    );
    expect(ids).toEqual(['list', 'create', 'authz_list']);
  });

  it('says how to present a token', () => {
    expect(merged.components.securitySchemes).toMatchObject({ bearer: { scheme: 'bearer' } });
  });
});
