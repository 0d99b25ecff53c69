import { FollowedView } from '../following/followed-view.ts';
import { Follower, type FollowerOptions } from '../following/follower.ts';
import { DecisionTally } from '../metrics/tallies.ts';
import type { Decision, DecisionSubject } from './decision.ts';
import type { GrantChange, GrantSource } from './grant.source.ts';
import { RoleBook } from './role-book.ts';
import { SubjectBook } from './subject-book.ts';

export interface GrantViewOptions extends Partial<FollowerOptions> {
  /** The most subjects held; default 50,000. Those not asked about lately are forgotten and asked for again. */
  maxSubjects?: number;
}

/**
 * Decides from memory: every role with its permissions, and the bindings of the subjects seen so far, followed from
 * Authz within a second. A subject not seen before is asked for once, and the answer is a promise then. What cannot be
 * known is ServiceUnavailable (503), never an allow.
 */
export class GrantView extends FollowedView<GrantChange> {
  private readonly roles = new RoleBook();
  private readonly subjects: SubjectBook;
  protected readonly follower: Follower<GrantChange>;
  readonly tally = new DecisionTally();

  constructor(source: GrantSource, options: GrantViewOptions = {}) {
    super();
    this.subjects = new SubjectBook((id) => source.grantsOf(id), options.maxSubjects ?? 50_000);
    this.follower = new Follower(
      source,
      {
        apply: (change) => this.apply(change),
        settled: (head) => this.roles.settled(head),
        reset: () => {
          this.roles.clear();
          this.subjects.clear();
        },
      },
      { name: 'grants', ...options },
    );
  }

  /**
   * Whether the subject holds the permission in the scope (`platform` or `organization:<id>`, see `scopeFor`).
   * At once where the subject is known.
   * @throws ServiceUnavailable (or rejects with it) where roles or bindings cannot be known
   */
  decide(
    subject: DecisionSubject,
    permission: string,
    scope: string,
  ): Decision | Promise<Decision> {
    this.assertReady();
    const known = this.subjects.get(subject.id);
    if (known !== undefined)
      return this.evaluate(subject, permission, scope, known.bindings, known.number, 'memory');
    return this.subjects.ask(subject.id).then(
      ({ bindings, number }) =>
        this.evaluate(subject, permission, scope, bindings, number, 'remote'),
      (error: unknown) => {
        this.tally.error.remote += 1;
        throw error;
      },
    );
  }

  private assertReady(): void {
    try {
      this.follower.assertReady();
    } catch (error) {
      this.tally.error.memory += 1;
      throw error;
    }
  }

  /** How much is held, for metrics. */
  get size(): { roles: number; subjects: number } {
    return { roles: this.roles.size, subjects: this.subjects.size };
  }

  private apply(change: GrantChange): void {
    if ('role' in change) this.roles.apply(change.number, change.role);
    else this.subjects.apply(change.subject);
  }

  private evaluate(
    subject: DecisionSubject,
    permission: string,
    scope: string,
    bindings: Parameters<RoleBook['allows']>[1],
    number: number,
    source: Decision['source'],
  ): Decision {
    const reason = this.roles.allows(subject, bindings, permission, scope);
    this.tally[reason === undefined ? 'denied' : 'granted'][source] += 1;
    return {
      allowed: reason !== undefined,
      reason: reason ?? `no role that holds ${permission} in scope ${scope}`,
      source,
      revision: Math.max(number, this.follower.revision),
    };
  }
}
