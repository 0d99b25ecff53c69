type AnyDecorator = ClassDecorator & MethodDecorator;

/**
 * Refuses a second decorator of a kind on the same method or class. Metadata would be overwritten without a word, so
 * that `@Public()` above `@RequirePermission()` would open a route silently.
 */
export function refuseSecond(
  metadataKey: string,
  name: string,
  decorator: (...args: never[]) => unknown,
): AnyDecorator {
  const apply = decorator as (...args: unknown[]) => void;
  return (target: object, property?: string | symbol, descriptor?: PropertyDescriptor) => {
    const holder = (descriptor?.value ?? target) as object;
    if (Reflect.hasOwnMetadata(metadataKey, holder)) {
      const owner = typeof target === 'function' ? target.name : target.constructor.name;
      throw new Error(
        `${property === undefined ? owner : `${owner}.${String(property)}`} has ${name} twice`,
      );
    }
    if (descriptor === undefined) apply(target);
    else apply(target, property, descriptor);
  };
}
