import { createHash } from 'node:crypto';

import type { RedisClient } from './redis-link.ts';

/** A Lua script, run atomically. Sent once after a start of Redis, then called by its digest. */
export class RedisScript {
  readonly #source: string;
  readonly #sha: string;

  constructor(source: string) {
    this.#source = source;
    this.#sha = createHash('sha1').update(source).digest('hex');
  }

  async run(
    client: RedisClient,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<unknown> {
    const given = { keys: [...keys], arguments: [...args] };
    try {
      return await client.evalSha(this.#sha, given);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return client.eval(this.#source, given);
    }
  }
}
