import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilItAnswers } from './postgres.js';

const SCHEMAS = ['auth', 'identity', 'authz', 'audit'];

/**
 * Looks for everything that was acknowledged: in the rows of its service, on the wire, in the effects it had elsewhere, in
 * the audit log. Effects come later than the answer, so that what is missing is waited for; what is there twice is not.
 *
 * @param {import('./ledger.js').Ledger} ledger
 * @returns {Promise<{ lost: string[], doubled: string[], repeats: number, settledMs: number }>} `repeats`: events that were
 *   sent more than once, which is allowed as long as they take effect once
 */
export async function verify(platform, ledger, wire, { timeoutMs = 90_000 } = {}) {
  const began = performance.now();
  const until = began + timeoutMs;
  for (;;) {
    const lost = await untilItAnswers(() => missing(platform, ledger, wire));
    if (lost.length === 0 || performance.now() > until) {
      const settledMs = performance.now() - began;
      // What would come twice comes soon after the first.
      await sleep(1_000);
      const { doubled, repeats } = await untilItAnswers(() => twice(platform, ledger, wire));
      return { lost, doubled, repeats, settledMs };
    }
    await sleep(500);
  }
}

async function missing(platform, ledger, wire) {
  const expelled = [...ledger.expelled];
  const gone = [...ledger.gone.keys()];
  const there = [...ledger.users.keys()].filter((id) => !ledger.gone.has(id));
  const [identity, auth, authz] = ['identity', 'auth', 'authz'].map((each) =>
    platform.database(each),
  );
  const events = await wire.events();
  const has = (type, subject) =>
    events.some((each) => each.type === type && each.subject === subject);
  const lost = [];
  const note = (what, subjects) => lost.push(...subjects.map((each) => `${what}: ${each}`));

  note('user', await absent(identity, 'SELECT id::text AS found FROM users', there));
  note(
    'user of a registration',
    await absent(identity, 'SELECT email AS found FROM users', [...ledger.addresses]),
  );
  note(
    'session',
    await absent(auth, 'SELECT id::text AS found FROM sessions', [...ledger.sessions.keys()]),
  );
  note(
    'deactivation',
    await absent(
      identity,
      `SELECT id::text AS found FROM users WHERE status = 'deactivated'`,
      expelled.map(([user]) => user),
    ),
  );
  note(
    'session still in force',
    await absent(
      auth,
      'SELECT id::text AS found FROM sessions WHERE revoked_at IS NOT NULL',
      expelled.map(([, session]) => session),
    ),
  );
  note(
    'effect of a deactivation',
    await absent(
      auth,
      `SELECT subject::text AS found FROM chaos.effects WHERE kind = 'disabled'`,
      expelled.map(([user]) => user),
    ),
  );
  note(
    'effect of a deletion (credential)',
    await absent(auth, 'SELECT user_id::text AS found FROM credentials WHERE deleted', gone),
  );
  note(
    'effect of a deletion (binding)',
    await absent(
      authz,
      `SELECT subject::text AS found FROM chaos.effects WHERE kind = 'binding dropped'`,
      [...ledger.gone.values()].filter(Boolean),
    ),
  );
  note(
    'event user.created',
    [...ledger.users.keys()].filter((id) => !has('identity.user.created.v1', id)),
  );
  note(
    'event user.deactivated',
    expelled.map(([user]) => user).filter((id) => !has('identity.user.deactivated.v1', id)),
  );
  note(
    'event user.deleted',
    gone.filter((id) => !has('identity.user.deleted.v1', id)),
  );
  note(
    'event session.revoked',
    expelled.map(([, session]) => session).filter((id) => !has('auth.session.revoked.v1', id)),
  );
  note('update', await updatesLost(identity, ledger));
  note('audit entry', await entriesLost(platform, ledger));
  for (const schema of SCHEMAS) {
    const [{ rows }] = await platform.database(schema)('SELECT count(*)::int AS rows FROM outbox');
    if (rows > 0) lost.push(`${rows} rows still in the outbox of ${schema}`);
    const held = await platform.database(schema)(
      'SELECT consumer, event_type, state FROM held_events',
    );
    lost.push(...held.map((each) => `event held in ${schema}: ${JSON.stringify(each)}`));
  }
  const torn = await tornAt(platform);
  if (torn !== undefined) lost.push(`the audit log is torn at index ${torn}`);
  return lost;
}

async function twice(platform, ledger, wire) {
  const doubled = [];
  const events = await wire.events();
  for (const [what, ids] of idsBy(
    events,
    ({ key, sequence, source, type }) => `${source} ${type.split('.')[1]} ${key} ${sequence}`,
  )) {
    if (ids.size > 1) doubled.push(`${ids.size} different events in one place: ${what}`);
  }
  const effects = await platform.database('chaos')(
    `SELECT kind, subject, count(*)::int AS times FROM effects GROUP BY 1, 2 HAVING count(*) > 1`,
  );
  doubled.push(...effects.map(({ kind, subject, times }) => `${times}x ${kind}: ${subject}`));
  const users = await platform.database('identity')(
    'SELECT email, count(*)::int AS times FROM users GROUP BY 1 HAVING count(*) > 1',
  );
  doubled.push(...users.map(({ email, times }) => `${times} users ${email}`));
  doubled.push(...(await entriesDoubled(platform)));
  doubled.push(...outOfOrder(events));
  const repeats = events.length - new Set(events.map(({ id }) => id)).size;
  return { doubled, repeats };
}

/** A user's version rises by one with each change, and each change has one entry. */
async function entriesDoubled(platform) {
  const rows = await platform.database('public')(
    `SELECT u.id, u.version, count(e.*)::int AS entries
     FROM identity.users u JOIN audit.entries e ON e.target_id = u.id::text AND e.outcome = 'success'
       AND e.action IN ('identity.user.update', 'identity.user.deactivate', 'identity.user.reactivate')
     GROUP BY u.id, u.version HAVING count(e.*) <> u.version - 1`,
  );
  const once = await platform.database('audit')(
    `SELECT action, target_id, count(*)::int AS times FROM entries
     WHERE outcome = 'success' AND action IN ('identity.user.create', 'identity.user.deactivate', 'identity.user.delete',
       'authz.binding.create', 'auth.session.start', 'auth.registration.create')
     GROUP BY 1, 2 HAVING count(*) > 1`,
  );
  return [
    ...rows.map(
      ({ id, version, entries }) => `${entries} entries for ${version - 1} changes of user ${id}`,
    ),
    ...once.map(
      ({ action, target_id: target, times }) => `${times} entries ${action} of ${target}`,
    ),
  ];
}

async function entriesLost(platform, ledger) {
  const lost = [];
  const expected = {
    'identity.user.create': [...ledger.users.keys()],
    'identity.user.deactivate': [...ledger.expelled.keys()],
    'identity.user.delete': [...ledger.gone.keys()],
    'authz.binding.create': [...ledger.bindings],
    'auth.session.start': [...ledger.sessions.keys()],
  };
  for (const [action, targets] of Object.entries(expected)) {
    const sql = `SELECT target_id AS found FROM entries WHERE outcome = 'success' AND action = '${action}'`;
    lost.push(
      ...(await absent(platform.database('audit'), sql, targets)).map(
        (each) => `${action} of ${each}`,
      ),
    );
  }
  return lost;
}

async function updatesLost(identity, ledger) {
  const lost = [];
  const rows = await identity('SELECT id::text, version FROM users WHERE id = ANY ($1)', [
    [...ledger.versions.keys()],
  ]);
  const versions = new Map(rows.map(({ id, version }) => [id, Number(version)]));
  for (const [id, version] of ledger.versions) {
    const found = versions.get(id) ?? 0;
    if (found < version) lost.push(`version ${version} of ${id}, which has ${found}`);
  }
  return lost;
}

/** Which of the wanted values the query does not find. */
async function absent(query, sql, wanted) {
  if (wanted.length === 0) return [];
  const rows = await query(`SELECT found FROM (${sql}) q WHERE found = ANY ($1::text[])`, [wanted]);
  const found = new Set(rows.map((row) => row.found));
  return wanted.filter((each) => !found.has(each));
}

/** The first index at which a leaf is missing or its hash is not that of its bytes (RFC 9162, 2.1.1). */
export async function tornAt(platform) {
  const rows = await platform.database('audit')(
    'SELECT leaf_index::int AS index, bytes, leaf_hash FROM entries ORDER BY leaf_index',
  );
  for (const [position, { index, bytes, leaf_hash: hash }] of rows.entries()) {
    const leaf = createHash('sha256').update(Buffer.of(0)).update(bytes).digest();
    if (index !== position || !leaf.equals(hash)) return position;
  }
  return undefined;
}

/** Of one key each event that is new has the next sequence, whatever was sent again in between. */
function outOfOrder(events) {
  const last = new Map();
  const wrong = [];
  for (const { source, key, type, sequence } of events) {
    const name = `${source} ${type.split('.')[1]} ${key}`;
    const seen = last.get(name) ?? 0;
    if (sequence > seen + 1) wrong.push(`out of order: ${sequence} after ${seen} of ${name}`);
    last.set(name, Math.max(seen, sequence));
  }
  return wrong;
}

function idsBy(events, nameOf) {
  const ids = new Map();
  for (const event of events) {
    const name = nameOf(event);
    ids.set(name, (ids.get(name) ?? new Set()).add(event.id));
  }
  return ids;
}
