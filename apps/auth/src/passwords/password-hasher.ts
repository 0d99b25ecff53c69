import { ServiceUnavailable } from '@gatehouse/contracts-platform';
import { Injectable } from '@nestjs/common';

import { AuthConfig } from '../auth.config.ts';
import { AuthMetrics } from '../auth.metrics.ts';
import { type Argon2Cost, hashPassword, isWeaker, verifyPassword } from './argon2.ts';
import { BoundedWork } from './bounded-work.ts';

/**
 * Hashes and checks passwords, boundedly many at once. Passwords are normalised (NFKC, NIST SP 800-63B-4 3.1.1.2) first,
 * so that the same characters typed on another keyboard are the same password.
 */
@Injectable()
export class PasswordHasher {
  private readonly cost: Argon2Cost;
  private readonly work: BoundedWork;
  private dummy: Promise<string> | undefined;
  /** How often a hash was computed: the same for known and unknown users, which a test holds it to. */
  computed = 0;

  constructor(
    config: AuthConfig,
    private readonly metrics: AuthMetrics,
  ) {
    this.cost = {
      memory: config.PASSWORD_HASH_MEMORY_KIB,
      passes: config.PASSWORD_HASH_PASSES,
      parallelism: config.PASSWORD_HASH_PARALLELISM,
    };
    this.work = new BoundedWork(config.PASSWORD_HASH_CONCURRENCY, config.PASSWORD_HASH_QUEUE);
    metrics.watchHashing(this.work);
  }

  /** A PHC string. @throws ServiceUnavailable where too many wait */
  hash(password: string): Promise<string> {
    return this.bounded(() => hashPassword(normal(password), this.cost));
  }

  /**
   * Whether the password is the hash's. Without a hash it computes one all the same, of the same cost, and says no: how
   * long the answer takes does not tell whether there is an account.
   * @param before runs once it is this call's turn, before anything is computed; what it throws ends the call
   * @throws ServiceUnavailable where too many wait
   */
  verify(
    password: string,
    phc: string | undefined,
    before: () => Promise<void> = () => Promise.resolve(),
  ): Promise<boolean> {
    return this.bounded(async () => {
      const stored = phc ?? (await this.dummyHash());
      const matches = await verifyPassword(normal(password), stored);
      return matches && phc !== undefined;
    }, before);
  }

  /** Whether the hash should be made anew, at the cost asked for now. */
  isOutdated(phc: string): boolean {
    return isWeaker(phc, this.cost);
  }

  /** Made once, before the first call: its making must not show in a call's time. */
  dummyHash(): Promise<string> {
    this.dummy ??= hashPassword('no account has this password', this.cost);
    return this.dummy;
  }

  private async bounded<T>(work: () => Promise<T>, before?: () => Promise<void>): Promise<T> {
    const end = this.metrics.hashing.startTimer();
    try {
      return await this.work.run(async () => {
        await before?.();
        this.computed += 1;
        return work();
      });
    } catch (error) {
      if (error instanceof ServiceUnavailable) this.metrics.hashesRefused.inc();
      throw error;
    } finally {
      end();
    }
  }
}

function normal(password: string): string {
  return password.normalize('NFKC');
}
