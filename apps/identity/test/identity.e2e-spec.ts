import { identityV1, UserNotFound, UserStatus } from '@gatehouse/contracts-identity';
import {
  CallerNotAllowed,
  NotAuthenticated,
  ValidationFailed,
} from '@gatehouse/contracts-platform';
import { createGrpcClient } from '@gatehouse/clients';
import { principalOf, type ServiceUnderTest } from '@gatehouse/guards/testing/service';
import { newId } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { UserView } from '../src/users/users.schemas.ts';
import { startIdentity } from './identity.service.ts';

const ACTIONS = ['create', 'read', 'list', 'update', 'deactivate', 'reactivate', 'delete'];

describe('identity at its own ports', () => {
  let identity: ServiceUnderTest;
  const administrator = principalOf();
  const somebody = principalOf();

  beforeAll(async () => {
    identity = await startIdentity();
    await identity.grant(
      administrator.id,
      ACTIONS.map((action) => `identity.user.${action}`),
    );
  });
  afterAll(() => identity.stop());

  const address = () => `${newId()}@example.com`;
  const create = async () =>
    (
      await identity.first.call<UserView>('/v1/users', {
        method: 'POST',
        as: administrator,
        body: { email: address(), display_name: 'Ada' },
      })
    ).body;

  describe('over HTTP', () => {
    it('creates, answers with the place and the version, and records who did it', async () => {
      const email = address();
      const answer = await identity.first.call<UserView>('/v1/users', {
        method: 'POST',
        as: administrator,
        body: { email: email.toUpperCase(), display_name: ' Ada ' },
      });
      const { id } = answer.body;
      expect(answer.status).toBe(201);
      expect(answer.body).toMatchObject({ email, display_name: 'Ada', status: 'active' });
      expect(answer.headers.get('location')).toBe(`/v1/users/${id}`);
      expect(answer.headers.get('etag')).toBe('"1"');
      await eventually(() => {
        expect(identity.peers.entries).toContainEqual(
          expect.objectContaining({
            action: 'identity.user.create',
            target: { type: 'user', id },
            actor: expect.objectContaining({ id: administrator.id }) as unknown,
          }),
        );
      });
    });

    it('answers a repeated Idempotency-Key with the first answer', async () => {
      const call = {
        method: 'POST',
        as: administrator,
        body: { email: address() },
        headers: { 'idempotency-key': newId() },
      };
      const first = await identity.first.call('/v1/users', call);
      const second = await identity.first.call('/v1/users', call);
      expect([first.status, second.status]).toEqual([201, 201]);
      expect(second.body).toEqual(first.body);
    });

    it('changes by If-Match alone: 428 without, 412 with an old version', async () => {
      const { id } = await create();
      const patch = (version?: string) =>
        identity.first.call(`/v1/users/${id}`, {
          method: 'PATCH',
          as: administrator,
          body: { display_name: `Name ${newId()}` },
          headers: version === undefined ? {} : { 'if-match': version },
        });
      expect(await patch()).toMatchObject({ status: 428, body: { code: 'PRECONDITION_REQUIRED' } });
      const changed = await patch('"1"');
      expect(changed.status).toBe(200);
      expect(changed.headers.get('etag')).toBe('"2"');
      expect(await patch('"1"')).toMatchObject({
        status: 412,
        body: { code: 'PRECONDITION_FAILED' },
      });
      const nonsense = await patch('nonsense');
      expect(nonsense.status).toBe(400);
    });

    it('deactivates, reactivates and deletes', async () => {
      const { id } = await create();
      const post = (action: string) =>
        identity.first.call(`/v1/users/${id}/${action}`, { method: 'POST', as: administrator });
      expect(await post('deactivate')).toMatchObject({
        status: 200,
        body: { status: 'deactivated', version: 2 },
      });
      expect(await post('deactivate')).toMatchObject({
        status: 409,
        body: { code: 'USER_DEACTIVATED' },
      });
      expect(await post('reactivate')).toMatchObject({ status: 200, body: { status: 'active' } });
      const path = `/v1/users/${id}`;
      expect(
        await identity.first.call(path, { method: 'DELETE', as: administrator }),
      ).toMatchObject({ status: 204 });
      expect(await identity.first.call(path, { as: administrator })).toMatchObject({
        status: 404,
        body: { code: 'USER_NOT_FOUND' },
      });
    });

    it('lets everybody at themselves, and nobody at others without the permission', async () => {
      const user = await create();
      const self = principalOf({ id: user.id });
      expect(await identity.first.call('/v1/users/me', { as: self })).toMatchObject({
        status: 200,
        body: user,
      });
      expect(await identity.first.call(`/v1/users/${user.id}`, { as: self })).toMatchObject({
        status: 200,
        body: user,
      });
      const denied = { status: 403, body: { code: 'PERMISSION_DENIED' } };
      const path = `/v1/users/${user.id}`;
      const ifMatch = { 'if-match': '"1"' };
      const body = { display_name: 'x' };
      for (const call of [
        ['/v1/users', {}],
        ['/v1/users', { method: 'POST', body: { email: address() } }],
        [path, {}],
        [path, { method: 'PATCH', body, headers: ifMatch }],
        [path, { method: 'DELETE' }],
        [`${path}/deactivate`, { method: 'POST' }],
        [`${path}/reactivate`, { method: 'POST' }],
      ] as const) {
        expect(await identity.first.call(call[0], { ...call[1], as: somebody })).toMatchObject(
          denied,
        );
      }
      expect(
        await identity.first.call(path, {
          method: 'PATCH',
          as: self,
          body: { email: address() },
          headers: ifMatch,
        }),
      ).toMatchObject(denied);
    });

    it('decides about users in the scope of the platform, whatever organization a token chose', async () => {
      const organizationId = newId();
      const tenant = principalOf({ organizationId });
      await identity.grant(tenant.id, ['identity.user.list'], `organization:${organizationId}`);
      expect(await identity.first.call('/v1/users', { as: tenant })).toMatchObject({ status: 403 });
      const chosen = { ...administrator, organizationId };
      expect(await identity.first.call('/v1/users', { as: chosen })).toMatchObject({ status: 200 });
    });

    it.each([
      ['an unknown member', { email: 'a@example.com', roles: ['platform-admin'] }, '/roles'],
      ['an id of its own', { email: 'a@example.com', id: newId() }, '/id'],
      ['no address', { display_name: 'x' }, '/email'],
      ['an address that is none', { email: 'nobody' }, '/email'],
      ['a name of two lines', { email: 'a@example.com', display_name: 'a\nb' }, '/display_name'],
    ])('refuses %s and says where', async (_what, body, pointer) => {
      const answer = await identity.first.call('/v1/users', {
        method: 'POST',
        as: administrator,
        body,
      });
      expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
      expect(JSON.stringify(answer.body.errors)).toContain(`"${pointer}"`);
    });

    it('refuses an id that is none, a filter it does not know and a change of nothing', async () => {
      const { id } = await create();
      for (const [path, call] of [
        ['/v1/users/1', {}],
        ['/v1/users?name=x', {}],
        ['/v1/users?page_size=201', {}],
        ['/v1/users?page_token=forged', {}],
        [`/v1/users/${id}`, { method: 'PATCH', body: {}, headers: { 'if-match': '"1"' } }],
      ] as const) {
        expect(await identity.first.call(path, { ...call, as: administrator })).toMatchObject({
          status: 400,
        });
      }
    });

    it('lets nobody in without a token', async () => {
      for (const path of ['/v1/users', '/v1/users/me', `/v1/users/${newId()}`]) {
        const answer = await identity.first.call(path);
        expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
      }
    });
  });

  describe('over gRPC', () => {
    it('creates by id, once, and finds', async () => {
      const auth = identity.client(identityV1, 'auth');
      const request = { userId: newId(), email: address(), displayName: '' };
      const { user } = await auth.createUser(request);
      expect(user).toMatchObject({
        id: request.userId,
        email: request.email,
        status: UserStatus.USER_STATUS_ACTIVE,
        version: 1,
      });
      expect((await auth.createUser(request)).user).toEqual(user);
      expect((await auth.getUser({ userId: request.userId })).user).toEqual(user);
      expect((await auth.findByEmail({ email: request.email })).user).toEqual(user);
      expect((await auth.findByEmail({ email: address() })).user).toBeNull();
      const many = await auth.batchGetUsers({ userIds: [newId(), request.userId] });
      expect(many.users).toEqual([user]);
    });

    it('lets only Auth and the provisioner create and ask by address', async () => {
      const request = { userId: newId(), email: address(), displayName: '' };
      const gateway = identity.client(identityV1, 'gateway');
      await expect(gateway.createUser(request)).rejects.toThrow(CallerNotAllowed);
      await expect(gateway.findByEmail({ email: request.email })).rejects.toThrow(CallerNotAllowed);
      await expect(gateway.getUser({ userId: request.userId })).rejects.toThrow(UserNotFound);
      const provisioner = identity.client(identityV1, 'provisioner');
      expect((await provisioner.createUser(request)).user).toMatchObject({ id: request.userId });
    });

    it('lets nobody in who does not say which service it is', async () => {
      const { grpcAddress = '' } = identity.first.running;
      const nobody = createGrpcClient(identityV1, { address: grpcAddress });
      try {
        await expect(nobody.getUser({ userId: newId() })).rejects.toThrow(NotAuthenticated);
      } finally {
        nobody.close();
      }
    });

    it('refuses what is not well-formed', async () => {
      const auth = identity.client(identityV1, 'auth');
      await expect(auth.getUser({ userId: 'x' })).rejects.toThrow(ValidationFailed);
      await expect(
        auth.createUser({ userId: newId(), email: 'x', displayName: '' }),
      ).rejects.toThrow(ValidationFailed);
      await expect(
        auth.batchGetUsers({ userIds: Array.from({ length: 201 }, () => newId()) }),
      ).rejects.toMatchObject({ code: 'USER_BATCH_TOO_LARGE' });
    });
  });
});
