import { type RedisLink, RedisScript } from '@gatehouse/cache/redis';

import { argumentsOf, type Charge, GCRA_SOURCE, type Grant, grantsOf } from './gcra-script.ts';

/** A charge whose answer somebody waits for. */
export interface Posted {
  readonly charge: () => Charge;
  readonly granted: (grant: Grant) => void;
  readonly failed: (error: unknown) => void;
}

/** Counters one call of the script takes: everybody else at Redis waits meanwhile. */
const MOST_AT_ONCE = 128;

/**
 * The counters in Redis. All charges posted in one turn of the event loop go out together: every policy of a request, and
 * those of other requests that came in with it.
 */
export class RedisCounters {
  private readonly script = new RedisScript(GCRA_SOURCE);
  private posted: Posted[] = [];
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly link: Pick<RedisLink, 'call'>) {}

  /** The charge is made out when it is sent. Exactly one of `granted` and `failed` is called. */
  post(posted: Posted): void {
    if (this.posted.length === 0) setImmediate(() => this.send());
    this.posted.push(posted);
  }

  /** Whether the script can be run. */
  async works(): Promise<boolean> {
    try {
      await this.link.call((client) => this.script.run(client, [], []));
      return true;
    } catch {
      return false;
    }
  }

  /** Once all that was posted has its answer. */
  async idle(): Promise<void> {
    this.send();
    await Promise.all(this.underWay);
  }

  private send(): void {
    const all = this.posted;
    this.posted = [];
    for (let from = 0; from < all.length; from += MOST_AT_ONCE) {
      const run = this.run(all.slice(from, from + MOST_AT_ONCE));
      this.underWay.add(run);
      void run.finally(() => this.underWay.delete(run));
    }
  }

  private async run(posted: readonly Posted[]): Promise<void> {
    const charges = posted.map(({ charge }) => charge());
    let grants: Grant[];
    try {
      const names = charges.map(({ name }) => name);
      const args = argumentsOf(charges);
      const answer = await this.link.call((client) => this.script.run(client, names, args));
      grants = grantsOf(answer, charges);
    } catch (error) {
      for (const { failed } of posted) failed(error);
      return;
    }
    for (const [index, grant] of grants.entries()) posted[index]?.granted(grant);
  }
}
