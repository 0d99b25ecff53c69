import type { ErrorKind } from './error-kind.ts';

/** One thing that is wrong with a request. */
export interface Violation {
  /** RFC 6901 pointer into the body (`/items/0/name`), or `/query/<name>`, `/header/<name>`, `/path/<name>`. */
  pointer: string;
  /** What is wrong, for people. Never repeats a secret value. */
  message: string;
}

export interface PlatformErrorOptions {
  /** What lies underneath: logged, never sent. */
  cause?: unknown;
  violations?: readonly Violation[] | undefined;
  /** When a repeat may succeed: `Retry-After` over HTTP, `RetryInfo` over gRPC. */
  retryAfterSeconds?: number | undefined;
  /** Facts a program may act on; sent to the caller, so never a secret. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * The base of every error that may leave a process. It carries a stable code, a kind and a sentence for people, and
 * knows nothing of transports. A service declares its own as two-line subclasses:
 *
 * ```ts
 * export class UserNotFound extends PlatformError {
 *   static override readonly code = 'USER_NOT_FOUND';
 *   static override readonly kind = 'not-found';
 *   static override readonly title = 'There is no such user';
 * }
 * ```
 */
export abstract class PlatformError extends Error {
  /** UPPER_SNAKE, unique in the platform, never changed once published. */
  static readonly code: string = 'INTERNAL_ERROR';
  static readonly kind: ErrorKind = 'internal';
  /** The same sentence for every occurrence (RFC 9457 `title`). */
  static readonly title: string = 'Something went wrong on our side';

  /** About this occurrence (RFC 9457 `detail`); absent where the title says it all. */
  readonly detail: string | undefined;
  readonly violations: readonly Violation[];
  readonly retryAfterSeconds: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;

  constructor(detail?: string, options: PlatformErrorOptions = {}) {
    super(
      detail ?? new.target.title,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = new.target.name;
    this.detail = detail;
    this.violations = options.violations ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.metadata = options.metadata ?? {};
  }

  get code(): string {
    return (this.constructor as typeof PlatformError).code;
  }

  get kind(): ErrorKind {
    return (this.constructor as typeof PlatformError).kind;
  }

  get title(): string {
    return (this.constructor as typeof PlatformError).title;
  }
}

/** A concrete error class: what a registry holds. */
export interface PlatformErrorClass<T extends PlatformError = PlatformError> {
  new (detail?: string, options?: PlatformErrorOptions): T;
  readonly code: string;
  readonly kind: ErrorKind;
  readonly title: string;
}
