import { InvalidGrant } from '@gatehouse/contracts-auth';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { RefreshSession } from '../src/sessions/commands/refresh-session.ts';
import { FIRST_PARTY_CLIENT } from '../src/sessions/sessions.ts';
import type { TokensView } from '../src/auth.schemas.ts';
import { type AuthInstance, AuthPlatform } from './support/auth-platform.ts';
import { ANN, logIn, register } from './support/people.ts';

const refresh = (auth: AuthInstance, token: string, client = FIRST_PARTY_CLIENT) =>
  auth.execute<TokensView>(new RefreshSession(token, client));

async function outcomes(calls: Promise<TokensView>[]) {
  const settled = await Promise.allSettled(calls);
  const good = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const refused = settled.flatMap((each) =>
    each.status === 'rejected' ? [each.reason as Error] : [],
  );
  return { good, refused, successors: new Set(good.map((view) => view.refresh_token)) };
}

async function sessionOf(auth: AuthInstance, id: string) {
  const [row] = await auth.query<{ generation: number; reason: string | null }>(
    `SELECT generation, revoke_reason AS reason FROM sessions WHERE id = $1`,
    [id],
  );
  return row;
}

/** The window has passed since every use so far. */
const letWindowPass = (auth: AuthInstance, id: string) =>
  auth.query(
    `UPDATE sessions SET rotated_at = ARRAY(SELECT at - interval '11 s' FROM unnest(rotated_at) at) WHERE id = $1`,
    [id],
  );

describe('a refresh token', () => {
  let platform: AuthPlatform;
  let auth: AuthInstance;
  let other: AuthInstance;
  let strict: AuthInstance;

  beforeAll(async () => {
    platform = await AuthPlatform.start();
    auth = await platform.auth();
    other = await platform.auth();
    strict = await platform.auth({ AUTH_REFRESH_WINDOW_SECONDS: '0' });
    await register(auth, ANN);
  }, 60_000);
  afterAll(() => platform.stop());

  it('used fifty times at once, at two instances, is rotated once and has one successor', async () => {
    const { refresh_token: token, session_id: id } = await logIn(auth, ANN);
    const calls = Array.from({ length: 50 }, (_, i) => refresh(i % 2 ? auth : other, token));
    const { good, successors } = await outcomes(calls);
    expect(good).toHaveLength(50);
    expect(successors.size).toBe(1);
    expect(await sessionOf(auth, id)).toEqual({ generation: 2, reason: null });
  });

  it('answers with its successor again within the window, also when that was used already', async () => {
    const first = await logIn(auth, ANN);
    const second = await refresh(auth, first.refresh_token);
    const third = await refresh(auth, second.refresh_token);
    expect((await refresh(other, first.refresh_token)).refresh_token).toBe(second.refresh_token);
    expect((await refresh(other, second.refresh_token)).refresh_token).toBe(third.refresh_token);
    expect(await sessionOf(auth, first.session_id)).toEqual({ generation: 3, reason: null });
  });

  it('used again after the window ends the session, and with it the good token', async () => {
    const first = await logIn(auth, ANN);
    const second = await refresh(auth, first.refresh_token);
    await letWindowPass(auth, first.session_id);
    await expect(refresh(auth, first.refresh_token)).rejects.toThrow(InvalidGrant);
    await expect(refresh(auth, second.refresh_token)).rejects.toThrow(InvalidGrant);
    expect(await sessionOf(auth, first.session_id)).toMatchObject({ reason: 'refresh_reused' });
    const [feed] = await auth.query(`SELECT state FROM change_feed WHERE id = $1`, [
      first.session_id,
    ]);
    expect(feed).toMatchObject({ state: { revoked: true } });
  });

  it('of generations ago ends the session too', async () => {
    const first = await logIn(auth, ANN);
    let last = first;
    for (let i = 0; i < 5; i++) {
      last = await refresh(auth, last.refresh_token);
      await letWindowPass(auth, first.session_id);
    }
    await expect(refresh(auth, first.refresh_token)).rejects.toThrow(InvalidGrant);
    await expect(refresh(auth, last.refresh_token)).rejects.toThrow(InvalidGrant);
  });

  it('without a window succeeds once of fifty, and the second use ends the session', async () => {
    const { refresh_token: token, session_id: id } = await logIn(strict, ANN);
    const { good, refused } = await outcomes(
      Array.from({ length: 50 }, () => refresh(strict, token)),
    );
    expect(good).toHaveLength(1);
    expect(refused.every((error) => error instanceof InvalidGrant)).toBe(true);
    expect(await sessionOf(strict, id)).toMatchObject({ reason: 'refresh_reused' });
    await expect(refresh(strict, good[0]!.refresh_token)).rejects.toThrow(InvalidGrant);
  });

  it('of another client is refused, and its session goes on', async () => {
    const first = await logIn(auth, ANN);
    await expect(refresh(auth, first.refresh_token, 'another')).rejects.toThrow(InvalidGrant);
    await expect(refresh(auth, first.refresh_token)).resolves.toMatchObject({
      session_id: first.session_id,
    });
  });

  it("that is made up ends nobody's session", async () => {
    const first = await logIn(auth, ANN);
    const forged = `gtr_${Buffer.concat([
      Buffer.from(first.session_id.replaceAll('-', ''), 'hex'),
      Buffer.alloc(52),
    ]).toString('base64url')}`;
    await expect(refresh(auth, forged)).rejects.toThrow(InvalidGrant);
    expect(await sessionOf(auth, first.session_id)).toEqual({ generation: 1, reason: null });
  });

  it('of a session that has expired is refused', async () => {
    const first = await logIn(auth, ANN);
    await auth.query(`UPDATE sessions SET expires_at = now() WHERE id = $1`, [first.session_id]);
    await expect(refresh(auth, first.refresh_token)).rejects.toThrow(InvalidGrant);
  });

  it('is not stored, nor is its successor', async () => {
    const first = await logIn(auth, ANN);
    const second = await refresh(auth, first.refresh_token);
    const [row] = await auth.query<{ text: string }>(
      `SELECT row_to_json(sessions)::text AS text FROM sessions WHERE id = $1`,
      [first.session_id],
    );
    for (const { refresh_token: token } of [first, second]) {
      const secret = Buffer.from(token.slice(4), 'base64url').subarray(20, 52);
      expect(row?.text).not.toContain(secret.toString('hex'));
      expect(row?.text).not.toContain(token);
    }
  });
});
