import 'reflect-metadata';

import { Inject } from '@nestjs/common';

import { Caches } from '../caches.ts';

const CACHES = '__gatehouseCaches';

/** A method that a cache decorator may stand on: its first parameters are those of the decorator's functions. */
export type CacheableMethod<A extends unknown[], R> = (...args: [...A, ...never[]]) => Promise<R>;

/**
 * Puts `around` between a provider's method and its callers. Nest injects {@link Caches} into the provider by property;
 * metadata of decorators below stays on the method.
 */
export function aroundMethod<A extends unknown[], R>(
  decorator: string,
  around: (caches: Caches, call: () => Promise<R>, args: A, where: string) => Promise<R>,
) {
  return <M extends CacheableMethod<A, R>>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<M>,
  ): void => {
    const method = descriptor.value as ((...args: unknown[]) => Promise<R>) | undefined;
    const where = `@${decorator} ${target.constructor.name}.${String(name)}`;
    if (method === undefined) throw new Error(`${where}: belongs on a method`);
    if (!Object.hasOwn(target, CACHES)) {
      Object.defineProperty(target, CACHES, { value: undefined, writable: true });
      Inject(Caches)(target, CACHES);
    }
    const wrapped = function (this: Record<string, Caches | undefined>, ...args: unknown[]) {
      const caches = this[CACHES];
      if (caches === undefined) {
        throw new Error(`${where}: its class is not a provider of Nest's container`);
      }
      return around(caches, async () => method.apply(this, args), args as A, where);
    };
    Object.defineProperty(wrapped, 'name', { value: method.name });
    for (const key of Reflect.getOwnMetadataKeys(method) as unknown[]) {
      Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), wrapped);
    }
    descriptor.value = wrapped as unknown as M;
  };
}
