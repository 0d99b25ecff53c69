import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { eventually } from '@gatehouse/testing';
import { jest } from '@jest/globals';
import pg from 'pg';
import { Launcher } from './launcher.driver.ts';

jest.setTimeout(180_000);

interface Found<T> {
  services: { service: string; items: T[] }[];
  problems: { service: string; status: number }[];
}
interface Letter {
  id: string;
  key: string;
}

describe('gatehouse events', () => {
  let launcher: Launcher;
  let database: pg.Pool;
  let token: string;

  beforeAll(async () => {
    launcher = await Launcher.make();
    await launcher.start();
    database = new pg.Pool({
      connectionString: readFileSync(
        join(launcher.folder, 'credentials', 'platform', 'database-url'),
        'utf8',
      ).trim(),
    });
    database.on('error', () => undefined);
    token = await logIn(administrator());
  });
  afterAll(async () => {
    await database.end();
    await launcher.remove();
  });

  const administrator = () =>
    JSON.parse(readFileSync(launcher.file('administrator.json'), 'utf8')) as {
      email: string;
      password: string;
    };
  const post = (path: string, body: object) =>
    fetch(launcher.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const logIn = async ({ email, password }: { email: string; password: string }) => {
    const answer = (await (await post('/v1/auth/login', { email, password })).json()) as {
      access_token: string;
    };
    return answer.access_token;
  };
  /** With the administrator's token: each login counts against a limit. */
  const events = (...args: string[]) =>
    launcher.run('events', ...args, '--gateway', launcher.url, '--token', token);
  const json = async <T>(...args: string[]) => {
    const { output } = await events(...args, '--json');
    return JSON.parse(output) as Found<T>;
  };
  const itemsOf = <T>({ services }: Found<T>, name: string) =>
    services.find(({ service }) => service === name)?.items ?? [];

  /** Identity says something that is no event: those who listen have a dead letter each. */
  const poison = async (key: string): Promise<void> => {
    const client = await database.connect();
    try {
      await client.query('SET SESSION AUTHORIZATION identity_app');
      await client.query(
        `SELECT platform.bus_append(ARRAY['identity.user'], ARRAY[$1], ARRAY['no event'], ARRAY['{}'::jsonb])`,
        [key],
      );
    } finally {
      await client.query('RESET SESSION AUTHORIZATION');
      client.release();
    }
  };
  const lettersOf = (service: string, key: string): Promise<Letter[]> =>
    eventually(
      async () => {
        const found = await json<Letter>('dead-letters', 'list', '--service', service);
        const own = itemsOf(found, service).filter((letter) => letter.key === key);
        if (own.length === 0) throw new Error(`${service} has no dead letter of ${key} yet`);
        return own;
      },
      { timeoutMs: 30_000, intervalMs: 500 },
    );
  /** The cause is mended: what was no event is one now that the consumers take. */
  const mend = async (service: string, key: string): Promise<void> => {
    const user = randomUUID();
    const event = {
      specversion: '1.0',
      id: randomUUID(),
      source: 'identity',
      type: 'identity.user.deleted.v1',
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      dataschema: 'test:identity.user.deleted.v1',
      partitionkey: key,
      sequence: 1,
      data: { user_id: user, version: 1 },
    };
    await database.query(`UPDATE ${service}.held_events SET value = $1 WHERE key = $2`, [
      JSON.stringify(event),
      key,
    ]);
  };

  it('shows the topics of every service on the bus, as the administrator of this machine', async () => {
    const { code, output } = await launcher.run('events', 'topics');
    expect(output).toMatch(/^SERVICE +TOPIC +PARTITIONS +RECORDS +KEPT$/m);
    expect(output).toMatch(/^identity +identity\.user +8 +\d+ +168 h$/m);
    expect(output).not.toContain(administrator().password);
    expect(code).toBe(0);
  });

  it('shows consumers with the lag of their groups, and the outbox', async () => {
    const lag = await events('lag');
    expect(lag.output).toMatch(/^auth +end-sessions +group +identity\.user +\d+ +1 +\d+ +\d+$/m);
    expect(lag.output).toMatch(/^authz +drop-bindings +group/m);
    expect(lag.code).toBe(0);
    const outbox = await json<{ channel: string }>('outbox', '--service', 'identity', 'auth');
    expect(outbox.services.map(({ service }) => service)).toEqual(['auth', 'identity']);
    expect(itemsOf(outbox, 'identity').map(({ channel }) => channel)).toContain('events');
  });

  it('lists, shows and replays a dead letter, found in whichever service has it', async () => {
    await poison('replayed');
    const [letter] = await lettersOf('auth', 'replayed');
    const id = letter?.id ?? '';
    expect((await events('dead-letters', '--service', 'auth')).output).toContain(id);
    expect((await events('parked', '--service', 'auth')).output).toMatch(
      new RegExp(`end-sessions +identity\\.user +replayed .*replay or discard +${id}`),
    );
    const shown = await events('dead-letters', 'show', id);
    expect(JSON.parse(shown.output)).toMatchObject({ service: 'auth', id, value: 'no event' });

    const failed = await events('dead-letters', 'replay', id);
    expect(failed.output).toMatch(new RegExp(`auth +${id} +failed`));
    expect(failed.code).toBe(2);
    await mend('auth', 'replayed');
    const handled = await events('dead-letters', 'replay', id);
    expect(handled.output).toMatch(new RegExp(`auth +${id} +handled`));
    expect(handled.code).toBe(0);
    const again = await events('dead-letters', 'replay', id);
    expect(again.output).toMatch(new RegExp(`- +${id} +gone`));
    expect(again.code).toBe(2);
  });

  it('discards many only where it is told so twice, and leaves a record', async () => {
    await poison('given-up-1');
    await poison('given-up-2');
    await lettersOf('authz', 'given-up-1');
    await lettersOf('authz', 'given-up-2');
    const filter = ['--service', 'authz', '--consumer', 'drop-bindings'];
    const unasked = await events('dead-letters', 'discard', ...filter);
    expect(unasked.output).toContain('--yes');
    expect(unasked.code).toBe(1);
    const before = itemsOf(await json<Letter>('dead-letters', 'list', ...filter), 'authz');
    expect(before.length).toBeGreaterThanOrEqual(2);
    const { code, output } = await events('dead-letters', 'discard', ...filter, '--yes');
    for (const { id } of before) expect(output).toMatch(new RegExp(`authz +${id} +discarded`));
    expect(code).toBe(0);
    expect(itemsOf(await json<Letter>('dead-letters', 'list', ...filter), 'authz')).toEqual([]);

    await eventually(
      async () => {
        const answer = await fetch(
          `${launcher.url}/v1/audit/entries?action=authz.dead-letter.discard&page_size=50`,
          { headers: { authorization: `Bearer ${token}` } },
        );
        const { items } = (await answer.json()) as { items: { target: { id: string } }[] };
        const targets = items.map(({ target }) => target.id);
        for (const { id } of before) expect(targets).toContain(id);
      },
      { timeoutMs: 20_000, intervalMs: 1_000 },
    );
  });

  it.each([
    [['dead-letters', 'replay'], 'which dead letters'],
    [['dead-letters', 'replay', 'x'], '"x" is not the id'],
    [['dead-letters', 'discard', '--all', randomUUID()], 'not by both'],
    [['topics', '--service', 'nobody'], 'no service "nobody" has events'],
  ])('says what is wrong with %j', async (args, message) => {
    const { code, output } = await events(...args);
    expect(output).toContain(message);
    expect(code).toBe(1);
  });

  it('says who is not logged in, who may not, and where nothing answers', async () => {
    const nobody = await launcher.run('events', 'lag', '--token', 'eyJ.no.token');
    expect(nobody.output).toContain('not logged in');
    expect(nobody.code).toBe(3);

    const elsewhere = await launcher.run('events', 'lag', '--gateway', 'http://127.0.0.1:1');
    expect(elsewhere.output).toContain('no token was given');
    expect(elsewhere.code).toBe(3);

    const user = { email: 'curious@example.com', password: 'a long enough passphrase' };
    await post('/v1/auth/register', { ...user, display_name: 'Curious' });
    const own = await logIn(user);
    const curious = await launcher.run('events', 'lag', '--token', own);
    expect(curious.output).toContain('not allowed');
    expect(curious.code).toBe(4);

    const dead = ['--gateway', 'http://127.0.0.1:1', '--token', 'x'];
    const away = await launcher.run('events', 'lag', ...dead);
    expect(away.output).toContain('the gateway does not answer at http://127.0.0.1:1');
    expect(away.code).toBe(1);
  });

  it('changes the log level of a service for a time (gatehouse log-level)', async () => {
    const logLevel = (...args: string[]) => launcher.run('log-level', ...args, '--token', token);
    const shown = await logLevel('authz');
    expect(shown.output).toMatch(
      /INSTANCE +LEVEL +UNTIL +CONFIGURED\n[0-9a-f-]{36} +info +- +info/,
    );
    expect(shown.code).toBe(0);
    const changed = await logLevel('authz', 'debug', '--for', '2m');
    expect(changed.output).toMatch(/ debug +\d{4}-\S+Z +info/);
    const json = await logLevel('gateway', 'warn', '--json');
    expect(JSON.parse(json.output)).toMatchObject({
      service: 'gateway',
      instances: [{ level: 'warn', configured_level: 'info', problem: null }],
    });
    for (const service of ['authz', 'gateway']) {
      expect((await logLevel(service, '--reset')).output).toMatch(/ info +- +info/);
    }

    const wrong = [
      [['authz', 'debug', '--for', 'ever'], '--for is a time', 1],
      [['authz', 'loud'], '/level', 1],
      [['authz', 'debug', '--for', '48h'], '/for_seconds', 1],
      [['authz', 'debug', '--reset'], 'not both', 1],
      [['authz', '--for', '1m'], '--for belongs to a level', 1],
      [['nobody'], 'ROUTE_NOT_FOUND', 1],
    ] as const;
    for (const [args, message, exit] of wrong) {
      const { code, output } = await logLevel(...args);
      expect([output, code]).toEqual([expect.stringContaining(message), exit]);
    }
    const nobody = await launcher.run('log-level', 'authz', '--token', 'eyJ.no.token');
    expect(nobody.code).toBe(3);
  });

  it('still shows the others where a service is away', async () => {
    process.kill(launcher.pidOf('identity'), 'SIGSTOP');
    try {
      await eventually(
        async () => {
          const { code, output } = await events('lag');
          expect(output).toMatch(/identity is away/);
          expect(output).toMatch(/^auth +end-sessions/m);
          expect(code).toBe(2);
        },
        { timeoutMs: 90_000, intervalMs: 1_000 },
      );
    } finally {
      process.kill(launcher.pidOf('identity'), 'SIGCONT');
    }
  });
});
