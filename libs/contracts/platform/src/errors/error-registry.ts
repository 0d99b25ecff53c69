import type { PlatformError, PlatformErrorClass } from './platform-error.ts';
import { RemoteError, type RemoteErrorFacts } from './remote-error.ts';

/**
 * The error classes a caller can rebuild, by code. Guarantees: a code belongs to one class (a second one is refused when
 * the registry is made), and `rebuild` always returns an error, a `RemoteError` where the code is not known here.
 */
export class ErrorRegistry {
  readonly #byCode = new Map<string, PlatformErrorClass>();

  constructor(classes: Iterable<PlatformErrorClass>) {
    for (const errorClass of classes) {
      const known = this.#byCode.get(errorClass.code);
      if (known !== undefined && known !== errorClass) {
        throw new Error(
          `error code ${errorClass.code} is claimed by ${known.name} and by ${errorClass.name}`,
        );
      }
      this.#byCode.set(errorClass.code, errorClass);
    }
  }

  /** One registry that knows the classes of all. The same class may stand in several. */
  static merge(...registries: readonly ErrorRegistry[]): ErrorRegistry {
    return new ErrorRegistry(registries.flatMap((registry) => registry.classes()));
  }

  /** A registry that knows these classes besides its own. */
  extend(classes: Iterable<PlatformErrorClass>): ErrorRegistry {
    return new ErrorRegistry([...this.classes(), ...classes]);
  }

  find(code: string): PlatformErrorClass | undefined {
    return this.#byCode.get(code);
  }

  classes(): PlatformErrorClass[] {
    return [...this.#byCode.values()];
  }

  /** The class that was thrown, made again from what came over the wire. */
  rebuild(facts: RemoteErrorFacts): PlatformError {
    const errorClass = this.find(facts.code);
    return errorClass === undefined ? new RemoteError(facts) : new errorClass(facts.detail, facts);
  }
}
