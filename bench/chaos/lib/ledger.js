/** What was acknowledged to callers, to be looked for afterwards. */
export class Ledger {
  users = new Map();
  versions = new Map();
  bindings = new Set();
  gone = new Map();
  addresses = new Set();
  sessions = new Map();
  expelled = new Map();
  count = 0;

  created(id, email) {
    this.users.set(id, email);
    this.count++;
  }

  updated(id, version) {
    this.versions.set(id, Math.max(version, this.versions.get(id) ?? 0));
    this.count++;
  }

  bound(id) {
    this.bindings.add(id);
    this.count++;
  }

  deleted(id, bindingId) {
    this.gone.set(id, bindingId);
    this.count++;
  }

  registered(email) {
    this.addresses.add(email);
    this.count++;
  }

  loggedIn(userId, sessionId) {
    this.sessions.set(sessionId, userId);
    this.count++;
  }

  deactivated(userId, sessionId) {
    this.expelled.set(userId, sessionId);
    this.count++;
  }
}
