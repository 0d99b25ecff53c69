import { Metrics } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { JwtAuthenticator } from '../authentication/jwt-authenticator.ts';
import { RevocationView } from '../authentication/revocation-view.ts';
import { TokenVerifier } from '../authentication/token-verifier.ts';
import { GrantView } from '../authorization/grant-view.ts';
import { TokenTally } from './tallies.ts';

const RESULTS = Object.keys(new TokenTally()) as (keyof TokenTally)[];

/** Shows what verifiers and views have counted in place, when it is scraped. */
@Injectable()
export class DecisionMetrics {
  constructor(
    metrics: Metrics,
    verifier: TokenVerifier,
    authenticator: JwtAuthenticator,
    revocations: RevocationView,
    grants: GrantView,
  ) {
    metrics.readCounter(
      'guards_token_verifications_total',
      'Access tokens presented, by result; revoked ones were cached or verified before',
      ['result'],
      (show) => {
        for (const result of RESULTS)
          show(verifier.tally[result] + authenticator.tally[result], { result });
        show(revocations.refusals, { result: 'revoked' });
      },
    );
    metrics.readCounter(
      'guards_permission_decisions_total',
      'Permission decisions by outcome, and whether memory sufficed or Authz was asked',
      ['outcome', 'source'],
      (show) => {
        for (const outcome of ['granted', 'denied', 'error'] as const) {
          for (const source of ['memory', 'remote'] as const)
            show(grants.tally[outcome][source], { outcome, source });
        }
      },
    );
  }
}
