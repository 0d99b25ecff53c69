import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { describeWithEngines, ENGINES_START_MS, eventually } from '@gatehouse/testing';
import { startPlatform, type TestClient, type TestPlatform } from '../src/index.ts';

jest.setTimeout(180_000);

describe('the platform as a fixture', () => {
  let platform: TestPlatform;
  beforeAll(async () => {
    platform = await startPlatform({ instances: { identity: 2 } });
  });
  afterAll(() => platform.stop());

  it('has an administrator', async () => {
    const { client } = await platform.loginAsAdministrator();
    const { status, body } = await client.get('/v1/users/me');
    expect([status, body.id]).toEqual([200, platform.administrator.userId]);
  });

  it('registers and logs in users through the gateway', async () => {
    const user = await platform.registerAndLogin();
    const { status, body } = await user.client.get('/v1/users/me');
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: user.userId, email: user.email });
  });

  it('gives each client an address of its own, so that rate limits are not shared', async () => {
    // An account that is guessed at is slowed down besides: another one each time.
    const guess = async (client: TestClient) => {
      const email = `${randomUUID()}@example.com`;
      return (await client.post('/v1/auth/login', { email, password: 'not a password' })).status;
    };
    const one = platform.client();
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push(await guess(one));
    expect(statuses.at(-1)).toBe(429);
    expect(await guess(platform.client())).toBe(401);
  });

  it('shows rows of a service, its log and its health', async () => {
    const users = await platform.database('identity')<{ email: string }>('SELECT email FROM users');
    expect(users).toContainEqual({ email: platform.administrator.email });
    expect(platform.logsOf('identity')).toContain('"service":"identity"');
    const health = await fetch(`${platform.adminUrlOf('authz')}/health/ready`);
    expect(health.status).toBe(200);
  });

  it('runs several instances of a service, which can be killed and started again', async () => {
    const { client } = await platform.loginAsAdministrator();
    await platform.kill('identity', 'SIGKILL', 0);
    expect(platform.instance('identity', 0).running).toBe(false);
    await eventually(async () => (await client.get('/v1/users/me')).status === 200);
    await platform.restart('identity', 0);
    expect(platform.instance('identity', 0).running).toBe(true);
    await platform.startInstance('audit');
    expect(platform.adminUrlOf('audit', 1)).not.toBe(platform.adminUrlOf('audit', 0));
  });

  it('shares nothing with another one on the same server', async () => {
    const other = await startPlatform({ services: ['identity', 'authz'] });
    const users = await other.database('identity')<{ email: string }>('SELECT email FROM users');
    expect(users).toEqual([{ email: platform.administrator.email }]);
    await other.stop();
  });
});

describeWithEngines(['kafka', 'consul', 'redis', 'postgres'], () => {
  let platform: TestPlatform;
  beforeAll(async () => {
    platform = await startPlatform({ engines: ['kafka', 'consul', 'redis', 'postgres'] });
  }, ENGINES_START_MS);
  afterAll(() => platform.stop());

  it('is served, with its database on their server', async () => {
    expect(new URL(platform.databaseUrl).port).toBe(String(platform.engines.ports.postgres));
    const user = await platform.registerAndLogin();
    expect((await user.client.get('/v1/users/me')).body.id).toBe(user.userId);
  });

  it('is served again after one was killed and is back', async () => {
    await platform.engines.kill('postgres');
    await platform.engines.start('postgres');
    await eventually(() => platform.loginAsAdministrator(), { timeoutMs: 20_000 });
  });
});
