import { RevocationSource, type Revocation } from '../authentication/revocation.source.ts';
import {
  type GrantChange,
  GrantSource,
  type RoleState,
  type SubjectGrants,
} from '../authorization/grant.source.ts';
import type { Signal } from '../following/signal.ts';

/** One opened stream, driven by the test. */
export class FakeStream<Change> implements AsyncIterable<Signal<Change>> {
  private readonly queue: (Signal<Change> | Error | 'end')[] = [];
  private wake: (() => void) | undefined;

  constructor(
    /** What the follower asked for. */
    readonly after: number,
    readonly signal: AbortSignal,
  ) {}

  send(...signals: Signal<Change>[]): void {
    this.push(...signals);
  }

  fail(error: Error): void {
    this.push(error);
  }

  end(): void {
    this.push('end');
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Signal<Change>> {
    for (;;) {
      const next = this.queue.shift();
      if (next === 'end') return;
      if (next instanceof Error) throw next;
      if (next === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
      else yield next;
    }
  }

  private push(...items: (Signal<Change> | Error | 'end')[]): void {
    this.queue.push(...items);
    this.wake?.();
  }
}

/** The streams that were opened, the newest last. */
class Streams<Change> {
  readonly opened: FakeStream<Change>[] = [];
  private waiting: { count: number; resolve: (stream: FakeStream<Change>) => void }[] = [];

  open(after: number, signal: AbortSignal): FakeStream<Change> {
    const stream = new FakeStream<Change>(after, signal);
    this.opened.push(stream);
    this.waiting = this.waiting.filter(({ count, resolve }) => {
      if (this.opened.length < count) return true;
      resolve(stream);
      return false;
    });
    return stream;
  }

  /** The n-th stream (from 1), once it is opened. */
  nth(count: number): Promise<FakeStream<Change>> {
    const stream = this.opened[count - 1];
    if (stream !== undefined) return Promise.resolve(stream);
    return new Promise((resolve) => this.waiting.push({ count, resolve }));
  }
}

export class FakeRevocationSource extends RevocationSource {
  readonly streams = new Streams<Revocation>();

  override watch(after: number, signal: AbortSignal): FakeStream<Revocation> {
    return this.streams.open(after, signal);
  }
}

export class FakeGrantSource extends GrantSource {
  readonly streams = new Streams<GrantChange>();
  /** What `grantsOf` answers; replace it to fail or to wait. */
  answer: (subjectId: string) => Promise<SubjectGrants> = (subjectId) =>
    Promise.resolve({ subjectId, bindings: [], number: 0 });
  /** Subjects asked for, in order. */
  readonly asked: string[] = [];

  override watch(after: number, signal: AbortSignal): FakeStream<GrantChange> {
    return this.streams.open(after, signal);
  }

  override grantsOf(subjectId: string): Promise<SubjectGrants> {
    this.asked.push(subjectId);
    return this.answer(subjectId);
  }
}

/** A role with these permissions. */
export function role(
  id: string,
  permissions: string[],
  changes: Partial<RoleState> = {},
): RoleState {
  return {
    id,
    name: id,
    permissions,
    allPermissions: false,
    implicit: false,
    deleted: false,
    ...changes,
  };
}
