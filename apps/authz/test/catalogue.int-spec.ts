import { authzV1, PermissionOutsideNamespace } from '@gatehouse/contracts-authz';
import { manifestDigest, ValidationFailed } from '@gatehouse/contracts-platform';
import { Discovery } from '@gatehouse/discovery';
import type { ServiceInstance } from '@gatehouse/guards/testing/service';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { ListPermissions } from '../src/catalogue/queries/list-permissions.ts';
import { AuthzUnderTest } from './authz.service.ts';

describe('the catalogue of permissions', () => {
  let authz: AuthzUnderTest;
  let second: ServiceInstance;
  beforeAll(async () => {
    authz = await AuthzUnderTest.start();
    second = await authz.service.startInstance();
  });
  afterAll(() => authz.stop());
  beforeEach(async () => {
    await authz.service.sql(
      `WITH gone AS (DELETE FROM authz.permissions WHERE service = 'identity')
       DELETE FROM authz.declarations WHERE service = 'identity'`,
    );
  });

  const register = (service: string, digest: string, names: string[], at?: ServiceInstance) =>
    authz.service.client(authzV1, service, at?.running).registerPermissions({
      permissions: names.map((name) => ({ name, description: name, scope: 'organization' })),
      manifestDigest: digest,
    });
  const catalogue = async (service = 'identity') => {
    const { items } = await authz.ask(new ListPermissions({ service, page_size: 200 }));
    return Object.fromEntries(items.map(({ name, stale }) => [name, stale ? 'stale' : 'live']));
  };
  const [A, B, C] = ['identity.a.do', 'identity.b.do', 'identity.c.do'];

  it("has Authz's own permissions from the start", async () => {
    await eventually(async () =>
      expect(await catalogue('authz')).toHaveProperty(['authz.role.create'], 'live'),
    );
  });

  it('takes what a service declares, once', async () => {
    expect(await register('identity', 'd1', [A, B])).toEqual({ added: 2, stale: 0 });
    expect(await register('identity', 'd1', [A, B])).toEqual({ added: 0, stale: 0 });
    expect(await catalogue()).toEqual({ [A]: 'live', [B]: 'live' });
  });

  it('takes nothing outside the namespace of the service that calls', async () => {
    for (const [service, name] of [
      ['identity', 'authz.role.create'],
      ['auth', 'identity.a.do'],
      ['identity', 'identityx.a.do'],
    ] as const) {
      await expect(
        register(service, 'd1', [A, name].slice(service === 'auth' ? 1 : 0)),
      ).rejects.toThrow(PermissionOutsideNamespace);
    }
    expect(await catalogue()).toEqual({});
  });

  it('takes nothing that is malformed or declared twice', async () => {
    for (const names of [['identity.a'], ['identity.A.do'], [A, A]]) {
      await expect(register('identity', 'd1', names)).rejects.toThrow(ValidationFailed);
    }
  });

  it('marks stale what the version before declared, unless an instance of it still lives', async () => {
    await register('identity', 'd1', [A, B]);
    expect(await register('identity', 'd2', [B, C])).toEqual({ added: 1, stale: 1 });
    expect(await catalogue()).toEqual({ [A]: 'stale', [B]: 'live', [C]: 'live' });
    // Rolled back: what comes again is no longer stale.
    expect(await register('identity', 'd1', [A, B])).toEqual({ added: 0, stale: 1 });
    expect(await catalogue()).toEqual({ [A]: 'live', [B]: 'live', [C]: 'stale' });
  });

  it('keeps both versions of a rolling upgrade, until the last instance of the old one is gone', async () => {
    const discovery = authz.service.first.get(Discovery);
    const digests = () => discovery.find('identity').map((instance) => instance.manifestDigest);
    const [before, after] = [manifestDigest(Buffer.of(1)), manifestDigest(Buffer.of(2))];
    await register('identity', before, [A, B]);
    const old = await authz.service.startPeer('identity', before);
    await eventually(() => digests().includes(before));
    expect(await register('identity', after, [B, C])).toEqual({ added: 1, stale: 0 });
    const fresh = await authz.service.startPeer('identity', after);
    await eventually(() => digests().includes(after));
    expect(await catalogue()).toEqual({ [A]: 'live', [B]: 'live', [C]: 'live' });
    await old.stop();
    await eventually(async () => (await catalogue())[A] === 'stale');
    expect(await catalogue()).toEqual({ [A]: 'stale', [B]: 'live', [C]: 'live' });
    await fresh.stop();
  });

  it('is the same when two instances register at once at two instances of Authz', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        register('identity', 'd1', [A, B, C], n % 2 === 0 ? undefined : second),
      ),
    );
    expect(answers.reduce((sum, { added }) => sum + added, 0)).toBe(3);
    expect(await catalogue()).toEqual({ [A]: 'live', [B]: 'live', [C]: 'live' });
  });
});
