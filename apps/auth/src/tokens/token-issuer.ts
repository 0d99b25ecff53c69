import { sign } from 'node:crypto';

import { GuardsConfig } from '@gatehouse/guards';
import { newId } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { AuthConfig } from '../auth.config.ts';
import { AuthMetrics } from '../auth.metrics.ts';
import { KeyRing, type RingKey } from '../keys/key-ring.ts';

/** Whom a token is for. */
export interface TokenSubject {
  id: string;
  type: 'user' | 'service';
  sessionId: string;
  clientId: string;
  organizationId?: string | null;
}

export type Grant = 'password' | 'refresh_token' | 'client_credentials';

export interface IssuedToken {
  accessToken: string;
  /** Seconds. */
  expiresIn: number;
}

/** Signs access tokens (RFC 9068): contracts.md, "Tokens". */
@Injectable()
export class TokenIssuer {
  /** The header segment of a key is the same for all its tokens. */
  private header: { kid: string; segment: string } | undefined;

  constructor(
    private readonly ring: KeyRing,
    private readonly config: AuthConfig,
    private readonly guards: GuardsConfig,
    private readonly metrics: AuthMetrics,
  ) {}

  /** @throws SigningKeyUnavailable */
  issue(subject: TokenSubject, grant: Grant): IssuedToken {
    const key = this.ring.current();
    const now = Math.floor(Date.now() / 1000);
    const expiresIn = this.config.AUTH_ACCESS_TOKEN_SECONDS;
    const payload = encode({
      iss: this.guards.AUTH_ISSUER,
      sub: subject.id,
      sub_type: subject.type,
      aud: this.guards.AUTH_AUDIENCE,
      client_id: subject.clientId,
      sid: subject.sessionId,
      ...(subject.organizationId != null && { org: subject.organizationId }),
      jti: newId(),
      iat: now,
      nbf: now,
      exp: now + expiresIn,
    });
    const signed = `${this.headerOf(key)}.${payload}`;
    this.metrics.tokens.inc({ grant });
    return { accessToken: `${signed}.${signature(key, signed)}`, expiresIn };
  }

  private headerOf(key: RingKey): string {
    const { kid, algorithm } = key;
    if (this.header?.kid !== kid) {
      this.header = { kid, segment: encode({ typ: 'at+jwt', alg: algorithm, kid }) };
    }
    return this.header.segment;
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signature(key: RingKey, text: string): string {
  const options =
    key.algorithm === 'RS256'
      ? key.privateKey
      : { key: key.privateKey, dsaEncoding: 'ieee-p1363' as const };
  return sign('sha256', Buffer.from(text, 'latin1'), options).toString('base64url');
}
