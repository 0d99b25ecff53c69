import { examineEngines } from '@gatehouse/launcher/provisioning';
import type { Finding } from './examine.ts';

/** Address and credentials of each engine that the environment names. */
export async function engines(): Promise<Finding[]> {
  return (await examineEngines()).map(({ what, problem }) =>
    problem === undefined
      ? { state: 'ok', what: `${what} can be used` }
      : { state: 'problem', what: problem, mend: 'set that variable, or start that engine' },
  );
}
