import type { Follower } from './follower.ts';

/** A state kept current by a follower: when it may be asked, and how old it is. */
export abstract class FollowedView<Change> {
  protected abstract readonly follower: Follower<Change>;

  start(): void {
    this.follower.start();
  }

  stop(): void {
    this.follower.stop();
  }

  ready(): boolean {
    return this.follower.ready();
  }

  /** Resolves once a snapshot has been read whole. */
  whenReady(): Promise<void> {
    return this.follower.whenReady();
  }

  /** Milliseconds since the source was last heard; Infinity before the first time. */
  get staleness(): number {
    return this.follower.staleness;
  }

  /** The number up to which every change has been applied. */
  get revision(): number {
    return this.follower.revision;
  }
}
