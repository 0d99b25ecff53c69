import { NotAuthenticated, PlatformError, TokenExpired } from '@gatehouse/contracts-platform';
import passport from 'passport';
import {
  ExtractJwt,
  Strategy,
  type StrategyOptionsWithRequest,
  type VerifiedCallback,
} from 'passport-jwt';

import { TokenTally } from '../metrics/tallies.ts';
import type { KeySet } from './key-set.ts';
import type { RevocationView } from './revocation-view.ts';
import type { VerificationKey } from './signed-key-set.ts';
import {
  checkClaims,
  checkHeader,
  MAX_TOKEN_LENGTH,
  SIGNING_ALGORITHMS,
  type TokenExpectations,
} from './token-rules.ts';
import { refusalOf, UnknownKey } from './token-verifier.ts';
import type { VerifiedToken } from './verified-token.ts';

const STRATEGY = 'gatehouse-jwt';

/**
 * Authenticates a call by its `Authorization` header through passport-jwt against Auth's key set: algorithm, issuer and
 * audience pinned there, the stricter rules of `checkHeader` and `checkClaims` around it, then the revocations.
 * Passport is an instance of its own, so that two services in one process (tests) do not share strategies.
 */
export class JwtAuthenticator {
  private readonly passport = new passport.Passport();

  constructor(
    private readonly keys: KeySet,
    private readonly revocations: RevocationView,
    private readonly expected: TokenExpectations,
    readonly tally = new TokenTally(),
  ) {
    const options: StrategyOptionsWithRequest = {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: (
        _request: unknown,
        token: string,
        done: (error: unknown, key?: never) => void,
      ) => {
        // passport-jwt's types know PEM alone; jsonwebtoken beneath takes a KeyObject.
        this.keyFor(token).then(
          ({ key }) => done(null, key as never),
          (error: unknown) => done(error),
        );
      },
      passReqToCallback: true,
      issuer: expected.issuer,
      audience: expected.audience,
      algorithms: [...SIGNING_ALGORITHMS],
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- the one way to the clock tolerance
      jsonWebTokenOptions: { clockTolerance: expected.skewSeconds },
    };
    this.passport.use(
      STRATEGY,
      new Strategy(
        options,
        (request: AuthorizedRequest, claims: unknown, done: VerifiedCallback) => {
          try {
            done(null, checkClaims(tokenOf(request), claims, this.expected, Date.now() / 1000));
          } catch (error) {
            done(error, false);
          }
        },
      ),
    );
  }

  /**
   * @param authorization the header's value: `Bearer <token>`
   * @throws NotAuthenticated, TokenExpired; ServiceUnavailable while keys or revocations cannot be known
   */
  async authenticate(authorization: string): Promise<VerifiedToken> {
    const token = await this.counted(authorization);
    const revoked = this.revocations.isRevoked(token);
    if (revoked !== 'no') throw new NotAuthenticated(REVOKED[revoked]);
    return token;
  }

  private async counted(authorization: string): Promise<VerifiedToken> {
    try {
      const token = await this.verify(authorization);
      this.tally.verified += 1;
      return token;
    } catch (error) {
      this.tally[error instanceof UnknownKey ? 'unknown_key' : refusalOf(error)] += 1;
      throw error;
    }
  }

  private verify(authorization: string): Promise<VerifiedToken> {
    return new Promise((resolve, reject) => {
      const answer = (
        error: unknown,
        token: VerifiedToken | false | undefined,
        info: unknown,
      ): void => {
        if (token) resolve(token);
        else reject(asPlatformError(error ?? info));
      };
      const middleware = this.passport.authenticate(
        STRATEGY,
        { session: false },
        answer,
      ) as Middleware;
      middleware({ headers: { authorization } }, {}, (error) => reject(asPlatformError(error)));
    });
  }

  private async keyFor(token: string): Promise<VerificationKey> {
    if (token.length > MAX_TOKEN_LENGTH) throw new NotAuthenticated();
    const { alg, kid } = checkHeader(headerOf(token));
    let key = this.keys.find(kid);
    if (key === undefined && (await this.keys.refreshForUnknownKey())) key = this.keys.find(kid);
    if (key === undefined) throw new UnknownKey();
    if (key.alg !== alg) throw new NotAuthenticated();
    return key;
  }
}

export const REVOKED = {
  session: 'The session has ended.',
  subject: 'The account is disabled.',
  client: 'The client is disabled.',
} as const;

interface AuthorizedRequest {
  headers: { authorization: string };
}

type Middleware = (
  request: AuthorizedRequest,
  response: object,
  next: (error?: unknown) => void,
) => void;

function tokenOf(request: AuthorizedRequest): string {
  return request.headers.authorization.replace(/^\S+\s+/, '');
}

function headerOf(token: string): unknown {
  const [segment = ''] = token.split('.', 1);
  if (!/^[\w-]+$/.test(segment)) throw new NotAuthenticated();
  try {
    return JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
  } catch {
    throw new NotAuthenticated();
  }
}

function asPlatformError(error: unknown): PlatformError {
  if (error instanceof PlatformError) return error;
  if (error instanceof Error && error.name === 'TokenExpiredError') return new TokenExpired();
  return new NotAuthenticated(undefined, { cause: error });
}
