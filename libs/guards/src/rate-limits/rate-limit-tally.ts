/** Decisions of a store, counted in place. */
export class RateLimitTally {
  allowed = 0;
  refused = 0;
  /** Of those counted in this process alone because the shared store could not be asked. */
  allowedAlone = 0;
  refusedAlone = 0;

  count(allowed: boolean): void {
    if (allowed) this.allowed += 1;
    else this.refused += 1;
  }

  countAlone(allowed: boolean): void {
    if (allowed) this.allowedAlone += 1;
    else this.refusedAlone += 1;
  }
}
