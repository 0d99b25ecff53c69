import fc from 'fast-check';
import findMyWay from 'find-my-way';
import { parameterIndex, RouteNode, segmentAt } from './route-tree.ts';

function tree(...routes: string[]): RouteNode<string> {
  const root = new RouteNode<string>();
  for (const route of routes) {
    const [method, path] = route.split(' ') as [string, string];
    root.insert(method, path, route);
  }
  return root;
}
const find = (root: RouteNode<string>, method: string, path: string) =>
  root.find(method, path, path.length);

describe('the route tree', () => {
  const root = tree(
    'GET /',
    'GET /v1/users',
    'POST /v1/users',
    'GET /v1/users/me',
    'GET /v1/users/{id}',
    'PATCH /v1/users/{id}',
    'GET /v1/users/{id}/sessions',
    'DELETE /v1/users/{id}/sessions/{session}',
    'GET /.well-known/jwks.json',
  );

  it.each([
    ['GET', '/', 'GET /'],
    ['GET', '/v1/users', 'GET /v1/users'],
    ['POST', '/v1/users', 'POST /v1/users'],
    ['GET', '/v1/users/me', 'GET /v1/users/me'],
    ['GET', '/v1/users/7', 'GET /v1/users/{id}'],
    ['GET', '/v1/users/me/sessions', 'GET /v1/users/{id}/sessions'],
    ['PATCH', '/v1/users/me', 'PATCH /v1/users/{id}'],
    ['DELETE', '/v1/users/7/sessions/9', 'DELETE /v1/users/{id}/sessions/{session}'],
    ['GET', '/.well-known/jwks.json', 'GET /.well-known/jwks.json'],
  ])('finds %s %s at %s', (method, path, route) => {
    expect(find(root, method, path)).toBe(route);
  });

  it.each([
    '/v1',
    '/v1/users/',
    '/v1/users/7/',
    '/v1/users/7/sessions/',
    '/v1/Users',
    '/v1/users/7/x',
  ])('finds nothing at %s', (path) => {
    expect(find(root, 'GET', path)).toBeUndefined();
    expect(root.methodsAt(path, path.length)).toEqual([]);
  });

  it('looks at the path alone, not at what follows it', () => {
    const target = '/v1/users?next=/v1/users/me';
    expect(root.find('GET', target, target.indexOf('?'))).toBe('GET /v1/users');
  });

  it('names the methods of every route that matches a path', () => {
    expect(root.methodsAt('/v1/users/me', 12)).toEqual(['GET', 'PATCH']);
    expect(root.methodsAt('/v1/users', 9)).toEqual(['GET', 'POST']);
  });

  it('reads a parameter decoded, by its place in the template', () => {
    const template = '/v1/users/{id}/sessions/{session}';
    const path = '/v1/users/a%20b/sessions/9';
    expect(segmentAt(path, path.length, parameterIndex(template, 'id'))).toBe('a b');
    expect(segmentAt(path, path.length, parameterIndex(template, 'session'))).toBe('9');
    expect(parameterIndex(template, 'nobody')).toBe(-1);
  });

  it('chooses as the router of the services does, whatever the routes', () => {
    const segment = fc.constantFrom('a', 'b', 'c', '{p}');
    const template = fc
      .array(segment, { minLength: 1, maxLength: 4 })
      .map((parts) => `/${parts.map((part, n) => (part === '{p}' ? `{p${n}}` : part)).join('/')}`);
    const path = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 4 })
      .map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(fc.uniqueArray(template, { maxLength: 8 }), path, (templates, target) => {
        const ours = tree(...templates.map((one) => `GET ${one}`));
        const theirs = findMyWay();
        for (const one of templates) {
          theirs.on('GET', one.replace(/\{(\w+)\}/g, ':$1'), () => undefined, `GET ${one}`);
        }
        expect(find(ours, 'GET', target)).toBe(theirs.find('GET', target)?.store ?? undefined);
      }),
      { numRuns: 500 },
    );
  });
});
