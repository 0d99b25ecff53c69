import type { ErrorKind } from './error-kind.ts';
import { PlatformError, type PlatformErrorOptions } from './platform-error.ts';

/** What a transport could read of an error that another process threw. */
export interface RemoteErrorFacts extends PlatformErrorOptions {
  code: string;
  kind: ErrorKind;
  title?: string | undefined;
  detail?: string | undefined;
}

/** An error of another process whose class this process does not know. It keeps the remote code and kind. */
export class RemoteError extends PlatformError {
  static override readonly code: string = 'REMOTE_ERROR';
  static override readonly title: string = 'Another service refused or failed';

  readonly #facts: RemoteErrorFacts;

  constructor(facts: RemoteErrorFacts) {
    super(facts.detail, facts);
    this.#facts = facts;
  }

  override get code(): string {
    return this.#facts.code;
  }

  override get kind(): ErrorKind {
    return this.#facts.kind;
  }

  override get title(): string {
    return this.#facts.title ?? RemoteError.title;
  }
}
