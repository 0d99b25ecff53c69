import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { jest } from '@jest/globals';
import { type ChildProcessHandle, eventually } from '@gatehouse/testing';
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

  it('is found well by the doctor', async () => {
    const { code, output } = await launcher.run('doctor');
    expect(output).toContain('identity is ready');
    expect(output).toContain('No problem was found');
    expect(code).toBe(0);
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

    beforeAll(async () => {
      expect((await post('/v1/auth/register', user)).status).toBe(202);
      before = launcher.pids();
      await running.kill('SIGKILL');
      expect(runs(before[0]!)).toBe(true);
      running = await launcher.start();
    });

    it('stops what was left, PostgreSQL among it', () => {
      expect(running.stdout).toContain('An earlier launcher was killed');
      expect(before.filter(runs)).toEqual([]);
    });

    it('still has its data', async () => {
      expect(await eventually(async () => (await logIn(user)) === 200)).toBe(true);
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
