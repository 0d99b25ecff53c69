import { authzV1, type Change, type WatchChangesResponse } from '@gatehouse/contracts-authz';
import type { ServiceInstance } from '@gatehouse/guards/testing/service';
import { newId } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { DeleteBinding } from '../src/bindings/commands/delete-binding.ts';
import { DropSubject } from '../src/bindings/commands/drop-subject.ts';
import { DeleteRole } from '../src/roles/commands/delete-role.ts';
import { UpdateRole } from '../src/roles/commands/update-role.ts';
import { AuthzUnderTest, READ, WRITE } from './authz.service.ts';

describe('what followers of Authz are told, over gRPC', () => {
  let authz: AuthzUnderTest;
  let second: ServiceInstance;
  beforeAll(async () => {
    authz = await AuthzUnderTest.prepared();
    second = await authz.service.startInstance();
  });
  afterAll(() => authz.stop());

  /** Follows until the work is done and the stream has told of it. */
  const follow = async (
    after: number,
    work: () => Promise<unknown> = () => Promise.resolve(),
    at = second,
  ): Promise<WatchChangesResponse[]> => {
    const seen: WatchChangesResponse[] = [];
    const stop = new AbortController();
    const client = authz.service.client(authzV1, 'gateway', at.running);
    const following = (async () => {
      try {
        for await (const message of client.watchChanges({ after }, { signal: stop.signal })) {
          seen.push(message);
        }
      } catch (error) {
        if (!stop.signal.aborted) throw error;
      }
    })();
    await eventually(() => seen.some(({ heartbeat }) => heartbeat != null));
    await work();
    const head = await headNow();
    await eventually(() => seen.some(({ heartbeat }) => (heartbeat?.head ?? -1) >= head));
    stop.abort();
    await following;
    return seen;
  };
  const headNow = async () => {
    const { number } = await authz.service.client(authzV1, 'gateway').listRoles({});
    return number;
  };
  const changesIn = (seen: WatchChangesResponse[]): Change[] =>
    seen.flatMap(({ change }) => change ?? []);

  it('is every role first, no subject, and then a heartbeat that says how far that goes', async () => {
    const role = await authz.role([READ]);
    await authz.bind(newId(), role.name);
    const head = await headNow();
    const seen = await follow(0);
    const changes = changesIn(seen);
    expect(changes.every(({ subject }) => subject == null)).toBe(true);
    expect(changes.map((change) => change.role?.name)).toEqual(
      expect.arrayContaining(['platform-admin', 'member', role.name]),
    );
    const first = seen.findIndex(({ heartbeat }) => heartbeat != null);
    expect(first).toBe(changes.length);
    expect(seen[first]?.heartbeat).toEqual({ head });
  });

  it('is a heartbeat each 200 ms', async () => {
    const beats: number[] = [];
    const client = authz.service.client(authzV1, 'gateway');
    for await (const { heartbeat } of client.watchChanges({ after: await headNow() })) {
      if (heartbeat != null) beats.push(performance.now());
      if (beats.length === 8) break;
    }
    const gaps = beats.slice(2).map((at, n) => at - (beats[n + 1] ?? at));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(mean).toBeGreaterThan(120);
    expect(mean).toBeLessThan(400);
  });

  it('is what changed above the number they have, and nothing below it', async () => {
    const role = await authz.role([READ]);
    const after = await headNow();
    const subject = newId();
    const { id } = await authz.bind(subject, role.name);
    const changes = changesIn(await follow(after));
    expect(changes).toHaveLength(1);
    expect(changes).toMatchObject([
      {
        number: after + 1,
        subject: {
          subjectId: subject,
          number: after + 1,
          bindings: [{ id, subjectId: subject, roleId: role.id, scope: 'platform' }],
        },
      },
    ]);
  });

  it('is the whole state of a role and of a subject after each change, in rising numbers', async () => {
    const subject = newId();
    const after = await headNow();
    let roleId = '';
    const seen = await follow(after, async () => {
      const role = await authz.role([READ]);
      roleId = role.id;
      const other = await authz.role([]);
      const first = await authz.bind(subject, role.name);
      await authz.bind(subject, other.name, `organization:${newId()}`);
      const change = { permissions: [READ, WRITE] };
      await authz.do(new UpdateRole(authz.administrator, role.name, change, 1));
      await authz.do(new DeleteBinding(authz.administrator, first.id));
      await authz.do(new DeleteRole(authz.administrator, role.name, 2));
      await authz.do(new DropSubject(subject));
    });
    const changes = changesIn(seen);
    const numbers = changes.map(({ number }) => number);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
    // A follower may find two changes of one item at once, and then gets the latest: the last is what counts.
    const lastOf = (pick: (change: Change) => boolean) => changes.filter(pick).at(-1);
    expect(lastOf(({ role }) => role?.id === roleId)?.role).toMatchObject({ deleted: true });
    expect(lastOf((change) => change.subject?.subjectId === subject)?.subject).toMatchObject({
      bindings: [],
    });
  });

  it('reaches followers of another instance within a second', async () => {
    const role = await authz.role([READ]);
    const subject = newId();
    const client = authz.service.client(authzV1, 'gateway', second.running);
    const after = await headNow();
    let told = 0;
    const following = (async () => {
      for await (const { change } of client.watchChanges({ after })) {
        if (change?.subject?.subjectId === subject) return (told = performance.now());
      }
      return told;
    })();
    await authz.bind(subject, role.name);
    const committed = performance.now();
    await following;
    expect(told - committed).toBeLessThan(1000);
  });

  it('leaves no change out while many happen at once', async () => {
    const role = await authz.role([READ]);
    const subjects = Array.from({ length: 30 }, () => newId());
    const seen = await follow(await headNow(), () =>
      Promise.all(subjects.map((subject) => authz.bind(subject, role.name))),
    );
    const told = new Set(changesIn(seen).map(({ subject }) => subject?.subjectId));
    expect(subjects.filter((subject) => !told.has(subject))).toEqual([]);
  });

  it('is answered for one subject with the number it is at least as new as', async () => {
    const role = await authz.role([READ]);
    const subject = newId();
    await authz.bind(subject, role.name);
    const { grants } = await authz.service
      .client(authzV1, 'gateway')
      .listGrants({ subjectId: subject });
    expect(grants).toMatchObject({
      subjectId: subject,
      number: await headNow(),
      bindings: [{ roleId: role.id, scope: 'platform' }],
    });
  });
});
