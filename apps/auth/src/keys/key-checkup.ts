import { Checkup, type Finding } from '@gatehouse/kernel';
import { Sealer } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { AuthConfig } from '../auth.config.ts';
import { sealContext } from './key-rotation.ts';
import { signingAt } from './key-schedule.ts';
import { type SigningKeyRow, SigningKeyStore } from './signing-key.store.ts';

/** Auth looks after its keys each minute: what is due for longer than this was not made. */
const TENDED_WITHIN_MS = 5 * 60_000;
const DAY_MS = 86_400_000;

/** What `doctor` says of the keys that sign access tokens. */
@Injectable()
export class KeyCheckup {
  constructor(
    private readonly keys: SigningKeyStore,
    private readonly sealer: Sealer,
    private readonly config: AuthConfig,
    checkup: Checkup,
  ) {
    checkup.add('signing keys', async () => this.judge(await this.keys.all(), Date.now()));
  }

  judge(keys: readonly SigningKeyRow[], now: number): Finding[] {
    const current = signingAt(keys, now);
    const [first] = keys;
    if (first === undefined) {
      const what = 'there are no signing keys yet: Auth makes the first when it starts';
      return [{ state: 'unknown', what }];
    }
    return [
      ...(current === undefined ? [noneSigns(first)] : this.judgeCurrent(current, keys, now)),
      ...keys.filter((key) => !this.opens(key)).map(unopenable),
    ];
  }

  private judgeCurrent(
    current: SigningKeyRow,
    keys: readonly SigningKeyRow[],
    now: number,
  ): Finding[] {
    const age = now - current.signsFrom.getTime();
    const overdue = age - this.config.AUTH_SIGNING_KEY_MAX_AGE_SECONDS * 1000;
    const next = keys.find(({ signsFrom }) => signsFrom.getTime() > now);
    const successor =
      next === undefined
        ? `its successor is due in ${days(-overdue)}`
        : `its successor ${next.kid} is published and signs from ${next.signsFrom.toISOString()} on`;
    const what = `${current.algorithm} key ${current.kid} has signed for ${days(age)}`;
    if (next === undefined && overdue > TENDED_WITHIN_MS) {
      return [
        {
          state: 'problem',
          what: `${what}, and its successor is overdue by ${days(overdue)}`,
          mend: '`node apps/auth/dist/main.js rotate-keys` makes one, or says why it cannot (docs/operations.md, GatehouseSigningKeyExpiry)',
        },
      ];
    }
    return [{ state: 'ok', what: `${what}; ${successor}` }];
  }

  private opens({ kid, sealedPrivateKey }: SigningKeyRow): boolean {
    try {
      this.sealer.open(sealedPrivateKey, sealContext(kid));
      return true;
    } catch {
      return false;
    }
  }
}

function noneSigns(first: SigningKeyRow): Finding {
  return {
    state: 'problem',
    what: `no key signs now: the first, ${first.kid}, does from ${first.signsFrom.toISOString()} on`,
    mend: 'look at the clocks of this machine and of those that run Auth',
  };
}

function unopenable({ kid }: SigningKeyRow): Finding {
  return {
    state: 'problem',
    what: `the private key of ${kid} cannot be opened by the DATA_ENCRYPTION_KEY of Auth`,
    mend: 'give Auth the data-encryption-key that belongs to this database, from the backup of its credentials (docs/backup.md)',
  };
}

function days(ms: number): string {
  const count = ms / DAY_MS;
  return count < 2 ? `${Math.max(0, Math.round(ms / 3_600_000))} h` : `${Math.round(count)} days`;
}
