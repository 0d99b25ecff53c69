import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { verify } from '../lib/verify.js';

/** Who watches the watcher: a check that finds nothing might look at nothing. */
export const selfCheck = [
  {
    name: 'self-check',
    title: 'no fault; then rows, effects, events and leaves are taken away, doubled and altered',
    criterion: 'each is found',
    async run(stage) {
      const { platform, ledger, wire } = await stage.open();
      await stage.underLoad(() => sleep(5_000));
      await stage.settle();
      const [user] = [...ledger.users.keys()].filter((id) => !ledger.gone.has(id));
      const [expelled, session] = [...ledger.expelled][0];
      const [other] = [...ledger.versions.keys()];
      const query = platform.database('public');
      const harm = {
        [`user: ${user}`]: () => query('DELETE FROM identity.users WHERE id = $1', [user]),
        [`session still in force: ${session}`]: () =>
          query('UPDATE auth.sessions SET revoked_at = NULL WHERE id = $1', [session]),
        [`2x disabled: ${expelled}`]: () =>
          query(`INSERT INTO chaos.effects (kind, subject) VALUES ('disabled', $1)`, [expelled]),
        [`update: version ${ledger.versions.get(other)} of ${other}`]: () =>
          query('UPDATE identity.users SET version = 1 WHERE id = $1', [other]),
        'different events in one place: identity user': () =>
          wire.produce('identity', 'identity.user', user, anotherEventOf(user)),
        'rows still in the outbox of authz': () =>
          query(
            `INSERT INTO authz.outbox (channel, partition, key, payload) VALUES ('none', 0, 'k', '{}')`,
          ),
        [`audit entry: identity.user.deactivate of ${expelled}`]: () =>
          query(
            `UPDATE audit.entries SET target_id = 'nobody' WHERE target_id = $1 AND action = 'identity.user.deactivate'`,
            [expelled],
          ),
        'the audit log is torn at index 3': () =>
          query(
            'UPDATE audit.entries SET bytes = set_bit(bytes, 9, 1 - get_bit(bytes, 9)) WHERE leaf_index = 3',
          ),
      };
      for (const work of Object.values(harm)) await work();
      const { lost, doubled } = await verify(platform, ledger, wire, { timeoutMs: 2_000 });
      const found = [...lost, ...doubled];
      for (const what of Object.keys(harm)) {
        stage.expect(
          `found: ${what}`,
          found.some((each) => each.includes(what)),
          found.join('; '),
        );
      }
    },
  },
];

function anotherEventOf(userId) {
  return JSON.stringify({
    specversion: '1.0',
    id: randomUUID(),
    source: 'identity',
    type: 'identity.user.created.v1',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    dataschema: 'urn:chaos',
    partitionkey: userId,
    sequence: 1,
    data: null,
  });
}
