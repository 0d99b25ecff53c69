import { ServiceUnavailable } from '@gatehouse/contracts-platform';

import type { SubjectGrants } from './grant.source.ts';

interface Pending {
  answer: Promise<SubjectGrants>;
  /** A change that arrived while the subject was being asked for. */
  change?: SubjectGrants;
}

const MAX_PENDING = 1000;

/**
 * The bindings of the subjects asked about lately, at most `capacity`. A subject is entered as pending before it is
 * asked for, so that a change that arrives meanwhile is kept: of the two the higher number holds.
 */
export class SubjectBook {
  /** In the order of the last question. */
  private readonly known = new Map<string, SubjectGrants>();
  private readonly pending = new Map<string, Pending>();

  constructor(
    private readonly load: (subjectId: string) => Promise<SubjectGrants>,
    private readonly capacity: number,
  ) {}

  get size(): number {
    return this.known.size;
  }

  get(subjectId: string): SubjectGrants | undefined {
    const grants = this.known.get(subjectId);
    if (grants !== undefined && this.known.size * 2 > this.capacity) {
      // Order matters only once forgetting is near: a half empty book saves the two writes.
      this.known.delete(subjectId);
      this.known.set(subjectId, grants);
    }
    return grants;
  }

  /** Asks for a subject; questions at the same time share one call. @throws ServiceUnavailable */
  ask(subjectId: string): Promise<SubjectGrants> {
    const running = this.pending.get(subjectId);
    if (running !== undefined) return running.answer;
    if (this.pending.size >= MAX_PENDING) return Promise.reject(unavailable());
    const entry = {} as Pending;
    this.pending.set(subjectId, entry);
    entry.answer = this.fetch(subjectId, entry);
    return entry.answer;
  }

  apply(change: SubjectGrants): void {
    const known = this.known.get(change.subjectId);
    if (known !== undefined && known.number < change.number)
      this.known.set(change.subjectId, change);
    const pending = this.pending.get(change.subjectId);
    if (pending !== undefined && (pending.change?.number ?? -1) < change.number)
      pending.change = change;
  }

  clear(): void {
    this.known.clear();
    // Answers under way belong to the history that is forgotten: they are given, but not kept.
    this.pending.clear();
  }

  private async fetch(subjectId: string, entry: Pending): Promise<SubjectGrants> {
    try {
      const answer = await this.load(subjectId);
      if (answer.subjectId !== subjectId) throw new Error('the answer is about another subject');
      const grants =
        entry.change !== undefined && entry.change.number > answer.number ? entry.change : answer;
      if (this.pending.get(subjectId) === entry) this.keep(grants);
      return grants;
    } catch (error) {
      throw unavailable(error);
    } finally {
      if (this.pending.get(subjectId) === entry) this.pending.delete(subjectId);
    }
  }

  private keep(grants: SubjectGrants): void {
    this.known.set(grants.subjectId, grants);
    if (this.known.size <= this.capacity) return;
    const [oldest] = this.known.keys();
    if (oldest !== undefined) this.known.delete(oldest);
  }
}

function unavailable(cause?: unknown): ServiceUnavailable {
  return new ServiceUnavailable('The permissions of the caller cannot be asked for.', {
    retryAfterSeconds: 1,
    cause,
  });
}
