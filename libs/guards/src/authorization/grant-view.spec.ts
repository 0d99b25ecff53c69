import { ServiceUnavailable } from '@gatehouse/contracts-platform';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { FakeGrantSource, type FakeStream, role } from '../testing/fake-sources.ts';
import type { Decision } from './decision.ts';
import { GrantView } from './grant-view.ts';
import type { GrantChange, GrantedRole, RoleState, SubjectGrants } from './grant.source.ts';
import { scopeFor } from './scope.ts';

const user = (id: string) => ({ id, type: 'user' as const });
const grants = (
  subjectId: string,
  number: number,
  ...bindings: [string, string][]
): SubjectGrants => ({
  subjectId,
  number,
  bindings: bindings.map(([roleId, scope]) => ({ roleId, scope })),
});
const subject = (state: SubjectGrants) => ({ change: { number: state.number, subject: state } });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('GrantView', () => {
  let source: FakeGrantSource;
  let view: GrantView;
  let stream: FakeStream<GrantChange>;
  const roles = (...states: RoleState[]) =>
    stream.send(...states.map((state, index) => ({ change: { number: index + 1, role: state } })));
  const settle = async (head: number) => {
    stream.send({ head });
    await view.whenReady();
    await sleep(5);
  };
  const allowed = async (id: string, permission: string, scope: string) =>
    (await view.decide(user(id), permission, scope)).allowed;

  beforeEach(async () => {
    source = new FakeGrantSource();
    view = new GrantView(source, { silenceMs: 60_000, openMs: 60_000, maxSubjects: 4 });
    view.start();
    stream = await source.streams.nth(1);
  });
  afterEach(() => view.stop());

  it('lets a binding on the platform cover every scope, and one in an organization only that', async () => {
    roles(role('editor', ['a.b.edit']));
    await settle(9);
    source.answer = (id) =>
      Promise.resolve(
        id === 'p'
          ? grants(id, 9, ['editor', 'platform'])
          : grants(id, 9, ['editor', 'organization:1']),
      );
    expect(await allowed('p', 'a.b.edit', 'platform')).toBe(true);
    expect(await allowed('p', 'a.b.edit', 'organization:1')).toBe(true);
    expect(await allowed('o', 'a.b.edit', 'organization:1')).toBe(true);
    expect(await allowed('o', 'a.b.edit', 'organization:2')).toBe(false);
    expect(await allowed('o', 'a.b.edit', 'platform')).toBe(false);
    expect(await allowed('p', 'a.b.delete', 'platform')).toBe(false);
  });

  it('gives platform-admin every permission, ones it never heard of included', async () => {
    roles(role('admin', [], { allPermissions: true }));
    await settle(1);
    source.answer = (id) => Promise.resolve(grants(id, 1, ['admin', 'platform']));
    expect(await allowed('root', 'new.thing.do', 'organization:1')).toBe(true);
  });

  it('gives the implicit role to users without a binding, not to services', async () => {
    roles(role('member', ['a.b.read'], { implicit: true }));
    await settle(1);
    expect(await allowed('anyone', 'a.b.read', 'organization:1')).toBe(true);
    const service = await view.decide({ id: 'robot', type: 'service' }, 'a.b.read', 'platform');
    expect(service.allowed).toBe(false);
  });

  it("counts a role of an organization only in that organization's bindings", async () => {
    roles(role('own', ['a.b.edit'], { organizationId: '1' }));
    await settle(1);
    source.answer = (id) => Promise.resolve(grants(id, 1, ['own', id]));
    expect(await allowed('organization:1', 'a.b.edit', 'organization:1')).toBe(true);
    expect(await allowed('organization:2', 'a.b.edit', 'organization:2')).toBe(false);
    expect(await allowed('platform', 'a.b.edit', 'organization:1')).toBe(false);
  });

  it('asks for an unknown subject once, then decides from memory and at once', async () => {
    roles(role('editor', ['a.b.edit']));
    await settle(3);
    source.answer = async (id) => {
      await sleep(5);
      return grants(id, 3, ['editor', 'platform']);
    };
    const answers = await Promise.all(
      [1, 2, 3].map(async () => view.decide(user('a'), 'a.b.edit', 'platform')),
    );
    expect(answers.map(({ source: from }) => from)).toEqual(['remote', 'remote', 'remote']);
    const known = view.decide(user('a'), 'a.b.edit', 'platform') as Decision;
    expect(known).toMatchObject({
      allowed: true,
      source: 'memory',
      revision: 3,
      reason: 'role editor in scope platform',
    });
    expect(source.asked).toEqual(['a']);
  });

  it('follows changes of roles and of the subjects it knows', async () => {
    roles(role('editor', ['a.b.edit']));
    await settle(3);
    expect(await allowed('a', 'a.b.edit', 'platform')).toBe(false);
    stream.send(subject(grants('a', 4, ['editor', 'platform'])));
    await settle(4);
    expect(await allowed('a', 'a.b.edit', 'platform')).toBe(true);
    stream.send({ change: { number: 5, role: role('editor', []) } });
    await settle(5);
    expect(await allowed('a', 'a.b.edit', 'platform')).toBe(false);
    stream.send(subject(grants('a', 2, ['editor', 'platform'])), {
      change: { number: 4, role: role('editor', ['a.b.edit']) },
    });
    await settle(6);
    expect(await allowed('a', 'a.b.edit', 'platform')).toBe(false);
    expect(source.asked).toEqual(['a']);
  });

  it('keeps a change that arrives while the subject is being asked for', async () => {
    roles(role('editor', ['a.b.edit']));
    await settle(3);
    let answer: (state: SubjectGrants) => void = () => undefined;
    source.answer = () => new Promise((resolve) => (answer = resolve));
    const decision = view.decide(user('a'), 'a.b.edit', 'platform');
    stream.send(subject(grants('a', 5)));
    await sleep(5);
    // Read before the change, answered after it.
    answer(grants('a', 4, ['editor', 'platform']));
    expect(await decision).toMatchObject({ allowed: false });
    expect(view.decide(user('a'), 'a.b.edit', 'platform')).toMatchObject({ allowed: false });
  });

  it('takes an answer that is newer than the change that came before it', async () => {
    roles(role('editor', ['a.b.edit']));
    await settle(3);
    let answer: (state: SubjectGrants) => void = () => undefined;
    source.answer = () => new Promise((resolve) => (answer = resolve));
    const decision = view.decide(user('a'), 'a.b.edit', 'platform');
    stream.send(subject(grants('a', 4)));
    await sleep(5);
    answer(grants('a', 6, ['editor', 'platform']));
    expect(await decision).toMatchObject({ allowed: true });
  });

  it('drops a deleted role', async () => {
    roles(role('editor', ['a.b.edit'], { allPermissions: true }));
    await settle(1);
    source.answer = (id) => Promise.resolve(grants(id, 1, ['editor', 'platform']));
    expect(await allowed('a', 'a.b.edit', 'platform')).toBe(true);
    stream.send({
      change: {
        number: 2,
        role: role('editor', ['a.b.edit'], { deleted: true, allPermissions: true }),
      },
    });
    await sleep(5);
    expect(await allowed('a', 'a.b.edit', 'platform')).toBe(false);
    await settle(2);
    expect(view.size.roles).toBe(0);
  });

  it('answers 503, never an allow, where Authz cannot be asked or answers about another', async () => {
    roles(
      role('member', ['a.b.read'], { implicit: true }),
      role('admin', [], { allPermissions: true }),
    );
    expect(() => view.decide(user('a'), 'a.b.read', 'platform')).toThrow(ServiceUnavailable);
    await settle(2);
    source.answer = () => Promise.reject(new Error('connection refused'));
    await expect(view.decide(user('a'), 'a.b.read', 'platform')).rejects.toThrow(
      ServiceUnavailable,
    );
    source.answer = () => Promise.resolve(grants('root', 2, ['admin', 'platform']));
    await expect(view.decide(user('a'), 'a.b.read', 'platform')).rejects.toThrow(
      ServiceUnavailable,
    );
    // And asks again the next time.
    source.answer = (id) => Promise.resolve(grants(id, 2));
    expect(await allowed('a', 'a.b.read', 'platform')).toBe(true);
  });

  it('holds no more subjects than it may, and asks again for one it forgot', async () => {
    await settle(1);
    for (const id of ['a', 'b', 'c', 'd', 'a', 'e'])
      await view.decide(user(id), 'x.y.z', 'platform');
    expect(view.size.subjects).toBe(4);
    expect(source.asked).toEqual(['a', 'b', 'c', 'd', 'e']);
    // `a` was used lately, `b` went.
    await view.decide(user('a'), 'x.y.z', 'platform');
    await view.decide(user('b'), 'x.y.z', 'platform');
    expect(source.asked).toEqual(['a', 'b', 'c', 'd', 'e', 'b']);
  });

  it('forgets subjects with the history they came from', async () => {
    roles(role('editor', ['a.b.edit']));
    await settle(50);
    await view.decide(user('a'), 'a.b.edit', 'platform');
    stream.send({ head: 10 });
    stream = await source.streams.nth(2);
    expect(stream.after).toBe(0);
    await settle(10);
    expect(view.size).toEqual({ roles: 0, subjects: 0 });
  });
});

describe('GrantView against brute force', () => {
  const permissions = ['a.b.c', 'a.b', 'a.b.c.d', '*', ''];
  const scopes = ['platform', 'organization:1', 'organization:11', 'organization:'];
  const roleIds = ['r1', 'r2', 'r3'];
  const someRole = (id: string) =>
    fc
      .record({
        permissions: fc.subarray(permissions),
        allPermissions: fc.boolean(),
        implicit: fc.boolean(),
        deleted: fc.boolean(),
        organizationId: fc.option(fc.constantFrom('1', '11'), { nil: undefined }),
      })
      .map(({ organizationId, ...rest }) =>
        role(id, [], { ...rest, ...(organizationId && { organizationId }) }),
      );
  const binding = fc.record({
    roleId: fc.constantFrom(...roleIds, 'gone'),
    scope: fc.constantFrom(...scopes),
  });

  /** The rules of architecture.md, written down once more in the plainest way. */
  const expected = (
    states: RoleState[],
    bindings: GrantedRole[],
    type: string,
    permission: string,
    scope: string,
  ) =>
    states.some(
      (state) =>
        !state.deleted &&
        ((type === 'user' &&
          state.implicit &&
          !state.organizationId &&
          state.permissions.includes(permission)) ||
          ((state.allPermissions || state.permissions.includes(permission)) &&
            bindings.some(
              (held) =>
                held.roleId === state.id &&
                (held.scope === 'platform' || held.scope === scope) &&
                (!state.organizationId || held.scope === `organization:${state.organizationId}`),
            ))),
    );

  it('decides the same, first asked and from memory, for every subject, permission and scope', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(...roleIds.map(someRole)),
        fc.array(fc.array(binding, { maxLength: 4 }), { minLength: 2, maxLength: 4 }),
        async (states, holders) => {
          const source = new FakeGrantSource();
          const view = new GrantView(source, { silenceMs: 60_000, openMs: 60_000 });
          source.answer = (id) =>
            Promise.resolve({ subjectId: id, number: 9, bindings: holders[Number(id)] ?? [] });
          view.start();
          const stream = await source.streams.nth(1);
          stream.send(
            ...states.map((state, index) => ({ change: { number: index + 1, role: state } })),
            { head: 9 },
          );
          await view.whenReady();
          for (const [index, bindings] of holders.entries()) {
            for (const type of ['user', 'service'] as const) {
              for (const permission of permissions) {
                for (const scope of scopes) {
                  const decision = await view.decide(
                    { id: String(index), type },
                    permission,
                    scope,
                  );
                  expect(decision.allowed).toBe(
                    expected(states, bindings, type, permission, scope),
                  );
                }
              }
            }
          }
          view.stop();
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('the scope of a decision', () => {
  it('is the organization of the token, the platform where it chose none or the matter is global', () => {
    expect(scopeFor('organization', '7')).toBe('organization:7');
    expect(scopeFor('organization', undefined)).toBe('platform');
    expect(scopeFor('platform', '7')).toBe('platform');
  });
});
