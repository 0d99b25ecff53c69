import { randomUUID } from 'node:crypto';
import { eventually } from '@gatehouse/testing';

const READERS = 2;
const WRITERS = 6;

/** Who takes part in the journeys: an administrator, users who read, users who change themselves. */
export class Cast {
  #readers;
  #writers;
  #turn = 0;

  constructor(platform, administrator, role, readers, writers) {
    this.platform = platform;
    this.administrator = administrator.client;
    this.administratorToken = administrator.accessToken;
    this.role = role;
    this.#readers = readers;
    this.#writers = [...writers];
    this.writers = writers;
  }

  static async make(platform) {
    const administrator = await platform.loginAsAdministrator();
    const name = `chaos-${randomUUID()}`;
    // A service that has just started may not have the signing keys yet, and says so.
    await eventually(
      async () => {
        const { status, body } = await administrator.client.post('/v1/roles', {
          name,
          description: 'Reads the audit log',
          permissions: ['audit.entry.read'],
        });
        if (status !== 201)
          throw new Error(`a role was answered ${status}: ${JSON.stringify(body)}`);
      },
      { timeoutMs: 60_000, intervalMs: 500 },
    );
    const users = [];
    while (users.length < READERS + WRITERS) users.push(await platform.registerAndLogin());
    return new Cast(platform, administrator, name, users.splice(0, READERS), users);
  }

  anyReader() {
    return this.#readers[this.#turn++ % this.#readers.length];
  }

  takeWriter() {
    return this.#writers.shift();
  }

  returnWriter(user) {
    this.#writers.push(user);
  }

  /** Comes from an address of its own. */
  stranger() {
    return this.platform.client();
  }
}
