import { AdministratorFile } from '../bootstrap/administrator.ts';
import { CommandError, portOf } from '../commands/context.ts';
import type { DataFolder } from '../data/data-folder.ts';
import { stateFile } from '../data/platform-state.ts';
import { EXIT, Gateway, Refused } from './gateway.ts';

export interface ConnectOptions {
  /** Instead of the running platform's. */
  gateway?: string;
  /** Instead of GATEHOUSE_TOKEN. */
  token?: string;
}

/**
 * Runs with a gateway and a token: the one given, else that of a login as the administrator of the platform that runs on
 * this machine's data, which is logged out afterwards. His password goes to that platform's own gateway alone.
 * @throws CommandError with exit code 3 where there is neither
 */
export async function connected<T>(
  folder: DataFolder,
  options: ConnectOptions,
  work: (gateway: Gateway) => Promise<T>,
): Promise<T> {
  const own = stateFile(folder).read()?.gateway_url;
  const url = originOf(options.gateway) ?? own ?? defaultUrl();
  const token = options.token ?? process.env.GATEHOUSE_TOKEN;
  if (token !== undefined && token !== '') return work(new Gateway(url, token));
  if (own === undefined || new URL(own).origin !== new URL(url).origin) {
    throw notLoggedIn(`${url} is not the platform of ${folder.path}, and no token was given`);
  }
  const gateway = await asAdministrator(url, folder.administrator());
  try {
    return await work(gateway);
  } finally {
    // A session that stays ends by itself.
    await gateway.post('/v1/auth/logout').catch(() => undefined);
  }
}

async function asAdministrator(url: string, file: string): Promise<Gateway> {
  const administrator = new AdministratorFile(file).read();
  if (!administrator?.completed_at) throw notLoggedIn(`there is no administrator in ${file}`);
  const { email, password } = administrator;
  try {
    const tokens = await new Gateway(url).post<{ access_token: string }>('/v1/auth/login', {
      email,
      password,
    });
    return new Gateway(url, tokens.access_token);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw notLoggedIn(`the administrator of ${file} was not let in: ${error.message}`);
  }
}

function notLoggedIn(why: string): CommandError {
  return new CommandError(
    `not logged in: ${why}. Give an access token by --token or GATEHOUSE_TOKEN`,
    EXIT.notLoggedIn,
  );
}

function originOf(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw new CommandError(
      `--gateway is not an address: "${given}" (for example http://127.0.0.1:8080)`,
    );
  }
  return given;
}

function defaultUrl(): string {
  return `http://127.0.0.1:${portOf(undefined, 'GATEWAY_PORT', 8080)}`;
}
