import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { jest } from '@jest/globals';
import { generateServiceKey } from '@gatehouse/discovery';
import { type ChildProcessHandle, eventually, TestAuthority } from '@gatehouse/testing';
import pg from 'pg';
import { Launcher, runs } from './launcher.driver.ts';

jest.setTimeout(180_000);

describe('the launcher', () => {
  let launcher: Launcher;
  let running: ChildProcessHandle;
  const user = { email: 'newcomer@example.com', password: 'a long enough passphrase' };

  beforeAll(async () => {
    launcher = await Launcher.make();
    running = await launcher.start();
  });
  afterAll(() => launcher.remove());

  const post = (path: string, body: object) =>
    fetch(launcher.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const logIn = async (who: { email: string; password: string }) =>
    (await post('/v1/auth/login', who)).status;
  const administrator = () => {
    const stored = JSON.parse(
      readFileSync(launcher.file('administrator.json'), 'utf8'),
    ) as typeof user;
    return { email: stored.email, password: stored.password };
  };

  const asAdministrator = async (sql: string, values: string[] = []) => {
    const url = readFileSync(launcher.file('credentials/platform/database-url'), 'utf8').trim();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, string>>(sql, values)).rows;
    } finally {
      await client.end();
    }
  };
  const migrationsOf = async (schema: string) =>
    asAdministrator(`SELECT * FROM ${schema}.migrations ORDER BY applied_at`);
  const lastOf = async (schema: string) => (await migrationsOf(schema)).at(-1)!;
  const firstOf = async (schema: string) => (await migrationsOf(schema))[0]!;
  /** Removes the record of a migration; returns how to bring it back. */
  const spoil = async (schema: string, row: Record<string, string>) => {
    await asAdministrator(`DELETE FROM ${schema}.migrations WHERE name = $1`, [row.name!]);
    return () =>
      asAdministrator(`INSERT INTO ${schema}.migrations VALUES ($1, $2, $3)`, [
        row.name!,
        row.checksum!,
        row.applied_at!,
      ]);
  };
  /** Returns how to bring back what it held. */
  const replaceFile = (name: string, content: string) => {
    const held = readFileSync(launcher.file(name));
    writeFileSync(launcher.file(name), content);
    return () => writeFile(launcher.file(name), held);
  };

  describe('at the first start', () => {
    it('shows the administrator, who can log in', async () => {
      const { email, password } = administrator();
      expect(running.stdout).toContain(email);
      expect(running.stdout).toContain(password);
      expect(await logIn(administrator())).toBe(200);
    });

    it('says where everything is, each service in a process of its own', () => {
      expect(running.stdout).toContain(`${launcher.url}/docs`);
      for (const name of ['auth', 'identity', 'authz', 'audit', 'gateway']) {
        expect(running.stdout).toMatch(new RegExp(`^ +${name} +\\d+`, 'm'));
      }
      expect(new Set(launcher.pids()).size).toBe(6);
      expect(launcher.pids().every(runs)).toBe(true);
    });

    it.each([
      'administrator.json',
      'state.json',
      'logs/auth.log',
      'credentials/platform/platform-key',
      'credentials/platform/database-url',
      'credentials/auth/service-key',
      'credentials/auth/database-url',
    ])('lets nobody else read %s', (file) => {
      expect(statSync(launcher.file(file)).mode & 0o777).toBe(0o600);
    });
  });

  it('lets a second one on the same data know of the first, and leaves that alone', async () => {
    const { code, output } = await launcher.run('start');
    expect(code).toBe(1);
    expect(output).toContain(`launcher process ${running.pid}`);
    expect(output).toContain('GATEHOUSE_DATA_DIR');
    expect(launcher.pids().every(runs)).toBe(true);
    expect((await launcher.run('reset', '--yes')).output).toContain('already running');
  });

  it('is found ill by the doctor where it is, with what to do, each fault by itself', async () => {
    const authority = await TestAuthority.make({ days: 1 });
    const mend = [
      await spoil('identity', await lastOf('identity')),
      await spoil('audit', await firstOf('audit')),
      replaceFile('credentials/identity/service-key', generateServiceKey().privateKey),
      replaceFile('credentials/gateway/service-key', 'not a key'),
      replaceFile('credentials/auth/data-encryption-key', Buffer.alloc(32, 7).toString('base64')),
    ];
    await asAdministrator(`INSERT INTO authz.migrations (name) VALUES ('9999-of-tomorrow')`);
    process.kill(launcher.pidOf('audit'), 'SIGSTOP');
    const { code, output } = await launcher.runWith(
      {
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent('const now = Date.now; Date.now = () => now() + 30_000')}`,
        KAFKA_TLS: 'on',
        KAFKA_TLS_CA: authority.ca,
      },
      'doctor',
    );
    process.kill(launcher.pidOf('audit'), 'SIGCONT');
    await asAdministrator(`DELETE FROM authz.migrations WHERE name = '9999-of-tomorrow'`);
    for (const undo of mend) await undo();
    await authority.remove();

    expect(code).toBe(1);
    for (const said of [
      /✗ this machine's clock is \d+\.\d s ahead of that of PostgreSQL[^\n]*\n +run a time service/,
      /✗ identity: schema identity lacks \S+\n +run `migrate` of identity/,
      /✗ audit: schema audit has later migrations, and no record of \S+\n +it is half restored/,
      /! authz: schema authz is newer than this build, which does not know 9999-of-tomorrow/,
      /✗ the directory lists another key of identity than identity\/service-key/,
      /✗ gateway cannot be started: [^\n]*GATEHOUSE_SERVICE_KEY: must be an Ed25519 key/,
      /✗ auth: the private key of \S+ cannot be opened by the DATA_ENCRYPTION_KEY of Auth/,
      /✗ identity: the certificate in KAFKA_TLS_CA ends on \S+\n +issue a new one/,
      /✗ audit does not answer at .*admin http/,
      /✓ identity is ready, and answers/,
      /✓ the keys that verify tokens are at http/,
    ]) {
      expect(output).toMatch(said);
    }
  });

  it('gets new passwords for its databases while it runs, and refuses nobody meanwhile', async () => {
    const urlOf = (owner: string) =>
      readFileSync(launcher.file(`credentials/${owner}/database-url`), 'utf8').trim();
    const earlier = urlOf('auth');
    const login = await post('/v1/auth/login', administrator());
    const { access_token: token } = (await login.json()) as { access_token: string };
    const answers: number[] = [];
    const load = { goesOn: true };
    // Reads of Auth's database, one after the other.
    const client = (async () => {
      while (load.goesOn) {
        const headers = { authorization: `Bearer ${token}` };
        answers.push((await fetch(`${launcher.url}/v1/auth/sessions`, { headers })).status);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    const rotated = await launcher.runWith(
      { DATABASE_URL: urlOf('platform') },
      ...['provision', '--rotate', '--credentials', launcher.file('credentials')],
    );
    expect(rotated).toMatchObject({ code: 0 });
    const soFar = answers.length;
    await eventually(() => answers.length > soFar + 5, { timeoutMs: 30_000 });
    load.goesOn = false;
    await client;
    expect(new Set(answers)).toEqual(new Set([200]));

    const stranger = new pg.Client({ connectionString: earlier });
    await expect(stranger.connect()).rejects.toThrow('password authentication failed');
    // All of them have to connect again, listeners and registry among them.
    await asAdministrator(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE '%\\_app'`,
    );
    const connected = () =>
      asAdministrator(`SELECT DISTINCT usename FROM pg_stat_activity WHERE usename LIKE '%\\_app'`);
    await eventually(
      async () =>
        expect((await connected()).map(({ usename }) => usename).sort()).toEqual([
          'audit_app',
          'auth_app',
          'authz_app',
          'gateway_app',
          'identity_app',
        ]),
      { timeoutMs: 30_000, intervalMs: 200 },
    );
  });

  it('is found well by the doctor', async () => {
    // A service that was held up comes back to the registry by itself.
    const { output } = await eventually(
      async () => {
        const found = await launcher.run('doctor');
        expect(found).toMatchObject({
          code: 0,
          output: expect.stringContaining('No problem was found') as string,
        });
        return found;
      },
      { timeoutMs: 90_000, intervalMs: 1_000 },
    );
    for (const said of ['identity is ready', 'schema platform is up to date', 'has signed for']) {
      expect(output).toContain(said);
    }
  });

  it('starts a service again that has died, and says so', async () => {
    const pid = launcher.pidOf('identity');
    process.kill(pid, 'SIGKILL');
    await eventually(() => running.stdout.includes('identity runs again'), { timeoutMs: 60_000 });
    expect(running.stdout).toContain('identity was ended by SIGKILL; starting it again in 0.5 s');
    expect(launcher.pidOf('identity')).not.toBe(pid);
  });

  it('starts PostgreSQL again that has died, and the services come back to it', async () => {
    process.kill(launcher.postgresPid(), 'SIGKILL');
    await eventually(() => running.stdout.includes('PostgreSQL runs again'), { timeoutMs: 60_000 });
    // Few enough for the rate limit of a login.
    const patience = { timeoutMs: 30_000, intervalMs: 4_000 };
    await eventually(async () => (await logIn(administrator())) === 200, patience);
  });

  describe('killed with SIGKILL and started again', () => {
    let before: number[];
    let serviceKey: string;

    beforeAll(async () => {
      expect((await post('/v1/auth/register', user)).status).toBe(202);
      before = launcher.pids();
      await running.kill('SIGKILL');
      expect(runs(before[0]!)).toBe(true);
      // Which is how a service gets another key: it is made where there is none.
      serviceKey = readFileSync(launcher.file('credentials/identity/service-key'), 'utf8');
      rmSync(launcher.file('credentials/identity/service-key'));
      running = await launcher.start();
    });

    it('stops what was left, PostgreSQL among it', () => {
      expect(running.stdout).toContain('An earlier launcher was killed');
      expect(before.filter(runs)).toEqual([]);
    });

    it('still has its data', async () => {
      expect(await eventually(async () => (await logIn(user)) === 200)).toBe(true);
    });

    it('believes a service that has another key', async () => {
      const key = readFileSync(launcher.file('credentials/identity/service-key'), 'utf8');
      expect(key).not.toBe(serviceKey);
      const login = await post('/v1/auth/login', administrator());
      const { access_token: token } = (await login.json()) as { access_token: string };
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${launcher.url}/v1/users?page_size=1`, { headers });
      expect(answer.status).toBe(200);
    });

    it('does not show the administrator again', () => {
      expect(running.stdout).not.toContain(administrator().password);
    });
  });

  describe('stopped with Ctrl-C', () => {
    let before: number[];

    beforeAll(async () => {
      before = launcher.pids();
      // Twice at once, as from a terminal and from npm.
      void running.kill('SIGINT');
      await running.kill('SIGINT');
    });

    it('ends well and leaves no process', async () => {
      expect(await running.exited).toEqual({ code: 0, signal: null });
      expect(before.filter(runs)).toEqual([]);
    });

    it('stops the gateway first and PostgreSQL last', () => {
      const goodbye = running.stdout.slice(running.stdout.indexOf('Stopping'));
      const order = [...goodbye.matchAll(/stopped (the gateway|PostgreSQL|.*auth)/g)];
      expect(order.map(([, what]) => what)).toEqual([
        'the gateway',
        expect.stringContaining('auth'),
        'PostgreSQL',
      ]);
    });
  });

  it('names a port that is taken, and how to choose another', async () => {
    const other = createServer().listen(launcher.gatewayPort, '127.0.0.1');
    await once(other, 'listening');
    const { code, output } = await launcher.run('start');
    other.close();
    expect(code).toBe(1);
    expect(output).toContain(`port ${launcher.gatewayPort}`);
    expect(output).toContain('GATEWAY_PORT=');
  });

  it('deletes nothing without being asked twice, and everything after that', async () => {
    expect((await launcher.run('reset')).output).toContain('no terminal to ask on');
    expect(existsSync(launcher.file('postgres'))).toBe(true);
    expect((await launcher.run('reset', '--yes')).code).toBe(0);
    expect(existsSync(launcher.folder)).toBe(false);
  });
});
