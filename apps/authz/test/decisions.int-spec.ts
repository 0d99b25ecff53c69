import { CheckBatchTooLarge } from '@gatehouse/contracts-authz';
import { type Decision, GrantView } from '@gatehouse/guards';
import { newId } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { GrantFeed } from '../src/changes/grant-feed.ts';
import type { CheckAnswer, CheckBody } from '../src/decisions/decisions.schemas.ts';
import { Check } from '../src/decisions/queries/check.ts';
import { CheckBatch } from '../src/decisions/queries/check-batch.ts';
import { AuthzUnderTest, READ, WRITE } from './authz.service.ts';

/** Names that would be one, were they joined, cut or compared carelessly. */
const PERMISSIONS = ['a.b.c', 'a.b.cc', 'a.bb.c', 'aa.b.c', 'a.b-b.c'];
const ORGANIZATIONS = [newId(), newId()] as const;
const SCOPES = ['platform', ...ORGANIZATIONS.map((id) => `organization:${id}`)];
const SUBJECTS = [newId(), newId()] as const;
const ROLES = [newId(), newId(), newId()] as const;

interface RoleRow {
  id: string;
  organization: string | null;
  permissions: string[];
  all: boolean;
  implicit: boolean;
}
interface BindingRow {
  subject: string;
  role: string;
  scope: string;
}

const roleRow = (id: string): fc.Arbitrary<RoleRow> =>
  fc.record({
    id: fc.constant(id),
    organization: fc.option(fc.constantFrom(...ORGANIZATIONS), { freq: 2 }),
    permissions: fc.subarray(PERMISSIONS),
    all: fc.boolean().map((yes) => yes && id === ROLES[0]),
    implicit: fc.boolean().map((yes) => yes && id === ROLES[1]),
  });
const bindingRow: fc.Arbitrary<BindingRow> = fc.record({
  subject: fc.constantFrom(...SUBJECTS),
  role: fc.constantFrom(...ROLES),
  scope: fc.constantFrom(...SCOPES),
});

/** The rules of "Who may do what" (architecture.md) in the plainest way. */
function bruteForce(roles: RoleRow[], bindings: BindingRow[], question: CheckBody): boolean {
  const { subject_id, subject_type, permission, scope } = question;
  return roles.some((role) => {
    if (role.implicit && role.organization === null && subject_type === 'user') {
      if (role.permissions.includes(permission)) return true;
    }
    if (!role.all && !role.permissions.includes(permission)) return false;
    return bindings.some(
      (binding) =>
        binding.subject === subject_id &&
        binding.role === role.id &&
        (binding.scope === 'platform' || binding.scope === scope) &&
        (role.organization === null || binding.scope === `organization:${role.organization}`),
    );
  });
}

const QUESTIONS: CheckBody[] = SUBJECTS.flatMap((subject_id) =>
  (['user', 'service'] as const).flatMap((subject_type) =>
    PERMISSIONS.flatMap((permission) =>
      SCOPES.map((scope) => ({ subject_id, subject_type, permission, scope })),
    ),
  ),
);

describe('decisions', () => {
  let authz: AuthzUnderTest;
  beforeAll(async () => {
    authz = await AuthzUnderTest.prepared();
  });
  afterAll(() => authz.stop());

  describe('of whatever roles and bindings there are', () => {
    const put = async (roles: RoleRow[], bindings: BindingRow[]) => {
      const sql = authz.service.sql.bind(authz.service);
      await sql(`DELETE FROM authz.bindings WHERE subject_id = ANY($1)`, [SUBJECTS]);
      await sql(`DELETE FROM authz.roles WHERE id = ANY($1)`, [ROLES]);
      for (const { id, organization, permissions, all, implicit } of roles) {
        await sql(
          `INSERT INTO authz.roles (id, name, description, organization_id, permissions, all_permissions, implicit, created_at, updated_at)
           VALUES ($1, $2, '', $3, $4, $5, $6, now(), now())`,
          [id, `role-${id}`, organization, permissions, all, implicit],
        );
      }
      for (const { subject, role, scope } of bindings) {
        await sql(`INSERT INTO authz.subjects (id) VALUES ($1) ON CONFLICT DO NOTHING`, [subject]);
        await sql(
          `INSERT INTO authz.bindings VALUES ($1, $2, $3, $4, now(), 'test') ON CONFLICT DO NOTHING`,
          [newId(), subject, role, scope],
        );
      }
    };
    const inBatches = async (questions: CheckBody[]): Promise<CheckAnswer[]> => {
      const answers: CheckAnswer[] = [];
      for (let from = 0; from < questions.length; from += 100) {
        answers.push(...(await authz.ask(new CheckBatch(questions.slice(from, from + 100)))));
      }
      return answers;
    };
    const fromMemory = async (questions: CheckBody[]): Promise<boolean[]> => {
      const view = new GrantView(authz.service.first.get(GrantFeed));
      view.start();
      try {
        await view.whenReady();
        const answers: Decision[] = [];
        for (const { subject_id: id, subject_type: type, permission, scope } of questions) {
          answers.push(await view.decide({ id, type }, permission, scope));
        }
        return answers.map(({ allowed }) => allowed);
      } finally {
        view.stop();
      }
    };

    it('are the same by Check, by the edge from memory, and by the rules written down plainly', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.tuple(...ROLES.map(roleRow)),
          fc.array(bindingRow, { maxLength: 6 }),
          fc.shuffledSubarray(QUESTIONS, { minLength: QUESTIONS.length }),
          async (roles, bindings, questions) => {
            await put(roles, bindings);
            const expected = questions.map((question) => bruteForce(roles, bindings, question));
            const answers = await inBatches(questions);
            expect(answers.map(({ allowed }) => allowed)).toEqual(expected);
            expect(await fromMemory(questions)).toEqual(expected);
          },
        ),
        { numRuns: 15 },
      );
    });
  });

  describe('in a batch', () => {
    it('stand in the order of the questions, however often one is repeated', async () => {
      const [reader, writer] = [await authz.holder([READ]), await authz.holder([WRITE])];
      const ask = (subject_id: string, permission: string): CheckBody => ({
        subject_id,
        subject_type: 'user',
        permission,
        scope: 'platform',
      });
      const questions = [
        ask(reader.id, READ),
        ask(writer.id, READ),
        ask(reader.id, READ),
        ask(reader.id, WRITE),
        ask(writer.id, WRITE),
        ask(writer.id, READ),
        ask(reader.id, READ),
      ];
      const answers = await authz.ask(new CheckBatch(questions));
      expect(answers.map(({ allowed }) => allowed)).toEqual([
        true,
        false,
        true,
        false,
        true,
        false,
        true,
      ]);
      for (const [n, question] of questions.entries()) {
        expect(answers[n]).toEqual(await authz.ask(new Check(question)));
      }
    });

    it('are at most 100', async () => {
      const question = QUESTIONS[0] as CheckBody;
      await expect(
        authz.ask(new CheckBatch(Array.from({ length: 101 }, () => question))),
      ).rejects.toThrow(CheckBatchTooLarge);
    });
  });

  it('say which role in which scope allowed it, and up to which change they know', async () => {
    const role = await authz.role([READ]);
    const subject_id = newId();
    await authz.bind(subject_id, role.name);
    const question = { subject_id, subject_type: 'user', permission: READ } as const;
    const { number } = await authz.service.first.get(GrantFeed).roles();
    expect(await authz.ask(new Check({ ...question, scope: SCOPES[1] as string }))).toEqual({
      allowed: true,
      reason: `role ${role.name} in scope platform`,
      revision: number,
    });
    expect(
      await authz.ask(new Check({ ...question, permission: WRITE, scope: 'platform' })),
    ).toMatchObject({ allowed: false, reason: `no role that holds ${WRITE} in scope platform` });
  });
});
