import type { KeyObject } from 'node:crypto';
import { NotAuthenticated } from '@gatehouse/contracts-platform';
import { decodeJwt, jwtVerify } from 'jose';
import type { Directory } from '../directory.ts';
import { PROVISIONER } from '../documents/directory.document.ts';
import { CLOCK_TOLERANCE_SECONDS, signVia, VIA_LIFETIME_SECONDS, VIA_TYPE } from './via.token.ts';

const MAX_TOKEN_LENGTH = 2_048;
const MAX_CACHED = 2_048;
const RENEWED_AFTER_MS = (VIA_LIFETIME_SECONDS * 1000) / 2;

/** Who calls: a service of the directory, or `provisioner`. */
export interface ViaCaller {
  service: string;
}

/**
 * `Gatehouse-Via`: how one process proves to another which service it is. A JWT that the caller signs with its
 * service key; the callee verifies it from the directory, so that no third process is needed.
 */
export class ViaTokens {
  private readonly issued = new Map<
    string,
    { token: string | Promise<string>; issuedAt: number }
  >();
  private readonly verified = new Map<
    string,
    { caller: ViaCaller; expiresAt: number; serial: number }
  >();

  constructor(
    /** The own service's name: `iss` of what is issued, `aud` of what is verified. */
    private readonly service: string,
    private readonly serviceKey: KeyObject,
    private readonly directory: Directory,
    private readonly trustAnchor: KeyObject,
  ) {}

  /**
   * A token for calling `audience`, good for at least half a minute more; at once where one is cached. Its age is told by
   * the wall clock, which the callee goes by: were it the monotonic one, calls would fail after the clock was set.
   */
  issue(audience: string): string | Promise<string> {
    const now = Date.now();
    const cached = this.issued.get(audience);
    const age = now - (cached?.issuedAt ?? -Infinity);
    if (cached && age >= 0 && age < RENEWED_AFTER_MS) return cached.token;
    const entry = { token: this.sign(audience), issuedAt: now };
    this.issued.set(audience, entry);
    return entry.token;
  }

  /**
   * The caller a token was signed by.
   * @throws {NotAuthenticated} where it is not for this service, has expired, or its issuer is not in the directory
   */
  async verify(token: string): Promise<ViaCaller> {
    const cached = this.verified.get(token);
    if (cached?.serial === this.directory.serial && Date.now() < cached.expiresAt)
      return cached.caller;
    this.verified.delete(token);
    const { caller, expiresAt, serial } = await this.verifyAnew(token).catch((error: unknown) => {
      throw new NotAuthenticated('Gatehouse-Via is not valid', { cause: error });
    });
    if (this.verified.size >= MAX_CACHED)
      this.verified.delete(this.verified.keys().next().value ?? '');
    this.verified.set(token, { caller, expiresAt, serial });
    return caller;
  }

  private async sign(audience: string): Promise<string> {
    try {
      const token = await signVia({ issuer: this.service, audience }, this.serviceKey);
      const entry = this.issued.get(audience);
      if (entry) entry.token = token;
      return token;
    } catch (error) {
      this.issued.delete(audience);
      throw error;
    }
  }

  private async verifyAnew(
    token: string,
  ): Promise<{ caller: ViaCaller; expiresAt: number; serial: number }> {
    if (token.length > MAX_TOKEN_LENGTH) throw new Error('the token is too long');
    const { serial } = this.directory;
    // Read before it is verified, only to choose the key: the signature then proves it.
    const issuer = decodeJwt(token).iss ?? '';
    const key =
      issuer === PROVISIONER ? this.trustAnchor : this.directory.service(issuer)?.publicKey;
    if (!key) throw new Error(`the directory lists no service "${issuer}"`);
    const { payload } = await jwtVerify<{ iat: number; exp: number }>(token, key, {
      algorithms: ['EdDSA'],
      typ: VIA_TYPE,
      issuer,
      audience: this.service,
      requiredClaims: ['iat', 'exp'],
      maxTokenAge: VIA_LIFETIME_SECONDS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    if (payload.aud !== this.service) throw new Error('a token is for one service only');
    if (payload.exp - payload.iat > VIA_LIFETIME_SECONDS)
      throw new Error('the token lasts too long');
    return { caller: Object.freeze({ service: issuer }), expiresAt: payload.exp * 1000, serial };
  }
}
