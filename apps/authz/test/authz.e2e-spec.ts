import { createGrpcClient } from '@gatehouse/clients';
import { AdministratorExists, authzV1 } from '@gatehouse/contracts-authz';
import {
  CallerNotAllowed,
  NotAuthenticated,
  ValidationFailed,
} from '@gatehouse/contracts-platform';
import { type Call, principalOf } from '@gatehouse/guards/testing/service';
import { newId } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { BindingView } from '../src/bindings/bindings.schemas.ts';
import type { RoleView } from '../src/roles/roles.schemas.ts';
import { AuthzUnderTest, organizationScope, READ, WRITE } from './authz.service.ts';

describe('authz at its own ports', () => {
  let authz: AuthzUnderTest;
  beforeAll(async () => {
    authz = await AuthzUnderTest.prepared();
  });
  afterAll(() => authz.stop());

  const call = <T = Record<string, unknown>>(path: string, more: Call = {}) =>
    authz.service.first.call<T>(path, { as: authz.administrator, ...more });
  const name = () => `role-${newId().slice(-12)}`;

  describe('over HTTP', () => {
    it('makes, changes and deletes a role', async () => {
      const body = { name: name(), permissions: [READ] };
      const made = await call<RoleView>('/v1/roles', { method: 'POST', body });
      expect(made).toMatchObject({
        status: 201,
        body: { ...body, description: '', organization_id: null, built_in: false, version: 1 },
      });
      const path = `/v1/roles/${body.name}`;
      expect(made.headers.get('location')).toBe(path);
      expect(made.headers.get('etag')).toBe('"1"');
      const patch = (headers: Record<string, string>) =>
        call(path, { method: 'PATCH', body: { permissions: [READ, WRITE] }, headers });
      expect(await patch({})).toMatchObject({ status: 428 });
      expect(await patch({ 'if-match': '"1"' })).toMatchObject({ status: 200 });
      expect(await patch({ 'if-match': '"1"' })).toMatchObject({ status: 412 });
      expect((await call(path)).headers.get('etag')).toBe('"2"');
      expect(await call(path, { method: 'DELETE' })).toMatchObject({ status: 204 });
      expect(await call(path)).toMatchObject({ status: 404, body: { code: 'ROLE_NOT_FOUND' } });
    });

    it('gives a role and takes it away: effective at its own routes within moments', async () => {
      const somebody = principalOf();
      const catalogue = () => call('/v1/permissions', { as: somebody });
      expect(await catalogue()).toMatchObject({ status: 403 });
      const role = await authz.role(['authz.permission.read']);
      const body = { subject_id: somebody.id, role: role.name, scope: 'platform' };
      const { status, body: binding } = await call<BindingView>('/v1/bindings', {
        method: 'POST',
        body,
      });
      expect(status).toBe(201);
      expect(binding).toMatchObject({ ...body, created_by: authz.administrator.id });
      await eventually(async () => (await catalogue()).status === 200);
      const path = `/v1/bindings/${binding.id}`;
      expect(await call(path)).toMatchObject({ status: 200, body: binding });
      expect(await call(path, { method: 'DELETE' })).toMatchObject({ status: 204 });
      await eventually(async () => (await catalogue()).status === 403);
      expect(await call(path, { method: 'DELETE' })).toMatchObject({ status: 404 });
    });

    it('records what was done, and what was denied', async () => {
      const role = name();
      await call('/v1/roles', { method: 'POST', body: { name: role, permissions: [] } });
      const somebody = principalOf();
      const body = { subject_id: somebody.id, role: 'platform-admin', scope: 'platform' };
      await call('/v1/bindings', { method: 'POST', body, as: somebody });
      await eventually(() => {
        const entries = authz.service.peers.entries;
        const made = entries.find(({ metadataJson }) => metadataJson.includes(role));
        expect(made).toMatchObject({ action: 'authz.role.create' });
        const denied = entries.filter(({ actor }) => actor?.id === somebody.id);
        expect(denied).toMatchObject([
          { action: 'authz.binding.create', reason: 'PERMISSION_DENIED' },
        ]);
      });
    });

    it('refuses, and names why', async () => {
      const subject_id = newId();
      for (const [path, body, status, code] of [
        ['/v1/roles', { name: 'member', permissions: [] }, 409, 'ROLE_NAME_RESERVED'],
        ['/v1/roles', { name: name(), permissions: ['a.b.c'] }, 422, 'PERMISSION_UNKNOWN'],
        ['/v1/roles', { name: 'No', permissions: [] }, 400, 'VALIDATION_FAILED'],
        ['/v1/roles', { name: name(), permissions: [READ, READ] }, 400, 'VALIDATION_FAILED'],
        ['/v1/roles', { name: name(), permissions: [], built_in: true }, 400, 'VALIDATION_FAILED'],
        ['/v1/bindings', { subject_id, role: 'nobody', scope: 'platform' }, 404, 'ROLE_NOT_FOUND'],
        ['/v1/bindings', { subject_id, role: 'member', scope: 'platform' }, 409, 'ROLE_IMPLICIT'],
        ['/v1/bindings', { subject_id, role: 'member', scope: '*' }, 400, 'VALIDATION_FAILED'],
        [
          '/v1/bindings',
          { subject_id: '1', role: 'x', scope: 'platform' },
          400,
          'VALIDATION_FAILED',
        ],
        ['/v1/authz/check-batch', { checks: [] }, 400, 'VALIDATION_FAILED'],
      ] as const) {
        const answer = await call(path, { method: 'POST', body });
        expect([path, body, answer.status, answer.body.code]).toEqual([path, body, status, code]);
      }
    });

    it('decides about questions on others in the scope they are about', async () => {
      const [own, other] = [newId(), newId()];
      const who = await authz.holder(['authz.check.execute'], organizationScope(own));
      const check = (scope: string) =>
        call('/v1/authz/check', {
          method: 'POST',
          as: who,
          body: { subject_id: newId(), permission: READ, scope },
        });
      expect(await check(organizationScope(own))).toMatchObject({
        status: 200,
        body: { allowed: false },
      });
      expect(await check(organizationScope(other))).toMatchObject({ status: 403 });
      expect(await check('platform')).toMatchObject({ status: 403 });
      const questions = [own, other].map((id) => ({
        subject_id: who.id,
        permission: READ,
        scope: organizationScope(id),
      }));
      const batch = { method: 'POST', as: who, body: { checks: questions } };
      expect(await call('/v1/authz/check-batch', batch)).toMatchObject({ status: 403 });
    });

    it('tells everybody what they hold themselves, and nobody what others hold', async () => {
      const who = await authz.holder([READ]);
      const path = (id: string) => `/v1/authz/subjects/${id}/permissions`;
      expect(await call(path(who.id), { as: who })).toMatchObject({
        status: 200,
        body: { permissions: [READ] },
      });
      expect(await call(path(authz.administrator.id), { as: who })).toMatchObject({ status: 403 });
    });

    it('lets nobody in without a token', async () => {
      for (const path of ['/v1/permissions', '/v1/roles', '/v1/bindings', '/v1/roles/member']) {
        const answer = await authz.service.first.call(path);
        expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
      }
    });
  });

  describe('over gRPC', () => {
    it('answers any service', async () => {
      const who = await authz.holder([READ]);
      const client = authz.service.client(authzV1, 'identity');
      const check = { subjectId: who.id, subjectType: '', permission: READ, scope: '' };
      expect(await client.check(check)).toMatchObject({ allowed: true });
      const { results } = await client.batchCheck({
        checks: [check, { ...check, permission: WRITE }, check],
      });
      expect(results.map(({ allowed }) => allowed)).toEqual([true, false, true]);
      const { roles } = await client.listRoles({});
      expect(roles).toContainEqual(expect.objectContaining({ name: 'member', implicit: true }));
    });

    it('lets the provisioner alone make the first administrator, and it nothing else', async () => {
      const identity = authz.service.client(authzV1, 'identity');
      await expect(identity.bootstrapAdministrator({ userId: newId() })).rejects.toThrow(
        CallerNotAllowed,
      );
      const provisioner = authz.service.client(authzV1, 'provisioner');
      await expect(provisioner.bootstrapAdministrator({ userId: newId() })).rejects.toThrow(
        AdministratorExists,
      );
      const again = await provisioner.bootstrapAdministrator({ userId: authz.administrator.id });
      expect(again.bindingId).toMatch(/^[0-9a-f-]{36}$/);
      await expect(provisioner.listRoles({})).rejects.toThrow(CallerNotAllowed);
    });

    it('refuses what is not well-formed', async () => {
      const client = authz.service.client(authzV1, 'identity');
      const check = {
        subjectId: newId(),
        subjectType: 'user',
        permission: READ,
        scope: 'platform',
      };
      for (const wrong of [
        { subjectId: 'x' },
        { subjectType: 'robot' },
        { permission: 'a.b' },
        { scope: 'organization:' },
        { scope: 'platform ' },
      ]) {
        await expect(client.check({ ...check, ...wrong })).rejects.toThrow(ValidationFailed);
      }
      await expect(client.listGrants({ subjectId: '' })).rejects.toThrow(ValidationFailed);
    });

    it('lets nobody in who does not say which service it is', async () => {
      const { grpcAddress = '' } = authz.service.first.running;
      const nobody = createGrpcClient(authzV1, { address: grpcAddress });
      try {
        await expect(nobody.listRoles({})).rejects.toThrow(NotAuthenticated);
        const stream = nobody.watchChanges({ after: 0 })[Symbol.asyncIterator]();
        await expect(stream.next()).rejects.toThrow(NotAuthenticated);
      } finally {
        nobody.close();
      }
    });
  });
});
