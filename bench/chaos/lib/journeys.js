import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often of so many journeys each is begun. Those that hash passwords cost a core 50 ms each. */
const WEIGHTS = { read: 8, create: 4, update: 3, browseAudit: 1, leave: 2, expel: 1 };

/**
 * What people do through the gateway, one journey each: every write that is acknowledged goes to the ledger. A journey
 * whose step fails ends there; nothing is believed of a step that was not acknowledged.
 */
export class Journeys {
  #turn = 0;
  #order = spread(WEIGHTS);

  /**
   * @param {import('./cast.js').Cast} cast
   * @param {import('./ledger.js').Ledger} ledger
   */
  constructor(cast, ledger) {
    this.cast = cast;
    this.ledger = ledger;
  }

  /** The next one in turn. */
  next = (send) => this[this.#order[this.#turn++ % this.#order.length]](send);

  async read(send) {
    const user = this.cast.anyReader();
    const { ok, body } = await send('read', user.client, { path: '/v1/users/me' });
    if (ok && body.id !== user.userId) throw new Error(`${user.userId} was shown ${body.id}`);
  }

  async browseAudit(send) {
    await send('audit', this.cast.administrator, { path: '/v1/audit/entries?page_size=5' });
  }

  /** Two changes of one user at once would refuse one another by their version: each writer is one journey's at a time. */
  async update(send) {
    const user = this.cast.takeWriter();
    if (!user) return;
    try {
      const path = `/v1/users/${user.userId}`;
      const { ok, headers } = await send('read', user.client, { path });
      if (!ok) return;
      const { ok: updated, body } = await send('update', user.client, {
        method: 'PATCH',
        path,
        headers: { 'if-match': headers.get('etag') ?? '' },
        body: { display_name: `Writer ${randomUUID()}` },
      });
      if (updated) this.ledger.updated(user.userId, body.version);
    } finally {
      this.cast.returnWriter(user);
    }
  }

  async create(send) {
    await this.#created(send);
  }

  /** Created, given a role, deleted: Authz drops the binding when it hears of it. */
  async leave(send) {
    const user = await this.#created(send);
    if (!user) return;
    const binding = { subject_id: user.id, role: this.cast.role, scope: 'platform' };
    const { ok, body } = await this.#asAdministrator(send, 'bind', 'POST', '/v1/bindings', {
      body: binding,
      expect: [201],
    });
    if (ok) this.ledger.bound(body.id);
    const deleted = await this.#asAdministrator(send, 'delete', 'DELETE', `/v1/users/${user.id}`, {
      expect: [204],
    });
    if (deleted.ok) this.ledger.deleted(user.id, ok ? body.id : undefined);
  }

  /** Registered, logged in, deactivated: Auth ends the session when it hears of it. */
  async expel(send) {
    const email = `chaos-${randomUUID()}@example.com`;
    const password = randomBytes(15).toString('base64url');
    const client = this.cast.stranger();
    const registered = await send('register', client, {
      method: 'POST',
      path: '/v1/auth/register',
      body: { email, password },
      expect: [202],
    });
    if (!registered.ok) return;
    this.ledger.registered(email);
    const login = await send('login', client, {
      method: 'POST',
      path: '/v1/auth/login',
      body: { email, password },
    });
    if (!login.ok) return;
    const userId = subjectOf(login.body.access_token);
    this.ledger.loggedIn(userId, login.body.session_id);
    const path = `/v1/users/${userId}/deactivate`;
    const { ok } = await this.#asAdministrator(send, 'deactivate', 'POST', path, {});
    if (ok) this.ledger.deactivated(userId, login.body.session_id);
  }

  /**
   * With an idempotency key, and repeated with it where there was no good answer. Had the first try made the user without
   * keeping the key, the second would be told that the address is taken: a 409, which no row allows.
   */
  async #created(send) {
    const email = `chaos-${randomUUID()}@example.com`;
    const key = randomUUID();
    for (let attempt = 1; attempt <= 3; attempt++) {
      const { ok, body } = await this.#asAdministrator(send, 'create', 'POST', '/v1/users', {
        body: { email, display_name: 'Chaos' },
        headers: { 'idempotency-key': key },
        expect: [201],
      });
      if (ok) {
        this.ledger.created(body.id, email);
        return body;
      }
      await sleep(1_000);
    }
    return undefined;
  }

  #asAdministrator(send, name, method, path, rest) {
    return send(name, this.cast.administrator, { method, path, ...rest });
  }
}

/** Names, each as often as it weighs, spread evenly: the same sequence in each run. */
function spread(weights) {
  return Object.entries(weights)
    .flatMap(([name, weight]) =>
      Array.from({ length: weight }, (_, n) => ({ name, at: (n + 0.5) / weight })),
    )
    .sort((a, b) => a.at - b.at)
    .map(({ name }) => name);
}

function subjectOf(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).sub;
}
