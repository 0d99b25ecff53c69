import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findWorkspace, listServices } from './workspace.ts';

describe('the services of a workspace', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'gatehouse-workspace-'));
    mkdirSync(join(root, 'apps'));
    writeFileSync(join(root, 'package.json'), JSON.stringify({ workspaces: ['apps/*'] }));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const app = (folder: string, json: object) => {
    mkdirSync(join(root, 'apps', folder));
    writeFileSync(join(root, 'apps', folder, 'package.json'), JSON.stringify(json));
  };
  const service = (name: string) => app(name, { gatehouse: { name } });

  it('are the apps that describe themselves: the core ones, others by name, the gateway last', () => {
    for (const name of ['orders', 'gateway', 'audit', 'identity', 'billing', 'auth', 'authz']) {
      service(name);
    }
    app('cli', { name: 'no service' });
    expect(listServices(root).map(({ name }) => name)).toEqual([
      'auth',
      'identity',
      'authz',
      'audit',
      'billing',
      'orders',
      'gateway',
    ]);
  });

  it('are those that come as packages, too, where the workspace itself depends on them', () => {
    service('orders');
    const packaged = (name: string) => {
      const folder = join(root, 'node_modules', '@gatehouse', name);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ gatehouse: { name } }));
      return folder;
    };
    const folder = packaged('auth');
    packaged('unasked');
    const dependencies = { '@gatehouse/auth': '1.0.0', 'not-installed': '1.0.0' };
    writeFileSync(join(root, 'package.json'), JSON.stringify({ workspaces: [], dependencies }));
    expect(listServices(root).map(({ name }) => name)).toEqual(['auth', 'orders']);
    expect(listServices(root)[0]?.mainFile).toBe(join(folder, 'dist', 'main.js'));
    rmSync(join(root, 'apps'), { recursive: true });
    expect(listServices(root).map(({ name }) => name)).toEqual(['auth']);
  });

  it('have a schema where they depend on persistence', () => {
    app('a', { gatehouse: { name: 'a' }, dependencies: { '@gatehouse/persistence': '1' } });
    app('b', { gatehouse: { name: 'b' } });
    expect(listServices(root).map(({ database }) => database)).toEqual([true, false]);
  });

  it('are refused where one describes itself wrongly, or two are named alike', () => {
    app('a', { gatehouse: { name: 'Not A Name' } });
    expect(() => listServices(root)).toThrow(/apps\/a\/package.json/);
    rmSync(join(root, 'apps', 'a'), { recursive: true });
    app('b', { gatehouse: { name: 'same' } });
    app('c', { gatehouse: { name: 'same' } });
    expect(() => listServices(root)).toThrow('two apps are named "same"');
  });

  it('are found from anywhere inside', () => {
    service('auth');
    expect(findWorkspace(join(root, 'apps', 'auth', 'src'))).toBe(root);
    expect(() => findWorkspace(tmpdir())).toThrow('no Gatehouse workspace');
  });
});
