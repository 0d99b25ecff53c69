const declared = new Set<string>();

/** Notes a cache that a decorator names, so that its metrics are there before it is used. */
export function declareCache(cache: string): void {
  declared.add(cache);
}

/** The names of the caches of this process's code. */
export function declaredCaches(): string[] {
  return [...declared];
}
