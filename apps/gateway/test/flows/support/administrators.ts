import type { TestClient, TestPlatform } from '@gatehouse/testing-platform';

/**
 * Users who may do everything, in turns: a test that sends thousands of requests must not be told apart from an attack by
 * the limits of one principal.
 */
export class Administrators {
  private turn = 0;

  private constructor(private readonly tokens: readonly string[]) {}

  static async make(platform: TestPlatform, count: number): Promise<Administrators> {
    const { client, accessToken } = await platform.loginAsAdministrator();
    const tokens = [accessToken];
    while (tokens.length < count) tokens.push(await makeOne(platform, client));
    return new Administrators(tokens);
  }

  get nextToken(): string {
    return this.tokens[this.turn++ % this.tokens.length] ?? '';
  }
}

async function makeOne(platform: TestPlatform, administrator: TestClient): Promise<string> {
  const user = await platform.registerAndLogin();
  const binding = { subject_id: user.userId, role: 'platform-admin', scope: 'platform' };
  const { status, body } = await administrator.post('/v1/bindings', binding);
  if (status !== 201) throw new Error(`a binding was answered ${status}: ${JSON.stringify(body)}`);
  return user.accessToken;
}
