import { randomBytes } from 'node:crypto';
import { awaitEngine } from '@gatehouse/kernel';
import {
  addressOf,
  assertSpeaksRedis,
  redisRefusal,
  type RedisSettings,
  socketOptions,
} from '@gatehouse/cache/redis';
import { createClient } from 'redis';
import type { EnginePlan, EngineReport } from '../engine-plan.ts';
import { credentialIn, writeCredential } from '../write-credential.ts';
import { keysOf, redisRulesOf } from './redis-access.ts';

type Ask = (...command: string[]) => Promise<unknown>;

interface OpenRedis {
  ask: Ask;
  close: () => void;
}

/**
 * A user for each service, where an administrator's credentials are given. A password of an existing file is kept. Users of
 * services that are gone are removed. What is made lasts where Redis has an ACL file, and is said not to where it has none.
 * @throws EngineUnusable where Redis does not answer in time, or refuses this administrator
 */
export async function provisionRedis(
  settings: RedisSettings,
  { services, folderOf, withinMs, rotate }: EnginePlan,
): Promise<EngineReport> {
  const connected = await openRedis(settings, withinMs);
  try {
    if (settings.password === undefined) {
      return {
        engine: 'Redis',
        notes: [
          'no users were made (REDIS_PASSWORD is not set): every client may read and write every key',
        ],
      };
    }
    const { ask } = connected;
    for (const { name } of services) {
      await writeCredential(folderOf(name), 'redis-username', name);
      const password = await credentialIn(folderOf(name), 'redis-password', {
        make: () => randomBytes(32).toString('base64url'),
        rotate,
      });
      await ask('ACL', 'SETUSER', name, ...redisRulesOf(name, password));
    }
    const gone = await usersGone(ask, new Set(services.map(({ name }) => name)));
    if (gone.length > 0) await ask('ACL', 'DELUSER', ...gone);
    return {
      engine: 'Redis',
      notes: [
        ...gone.map((name) => `revoked what ${name} had: there is no such service any more`),
        ...(await save(ask)),
      ],
    };
  } finally {
    connected.close();
  }
}

/**
 * A connection that may administer users, where a password is given.
 * @throws EngineUnusable
 */
export function openRedis(settings: RedisSettings, withinMs: number): Promise<OpenRedis> {
  return awaitEngine(() => connect(settings), {
    engine: 'Redis',
    variable: 'REDIS_URL',
    address: addressOf(settings),
    withinMs,
    refusal: redisRefusal,
  });
}

async function connect(settings: RedisSettings): Promise<OpenRedis> {
  await assertSpeaksRedis(settings);
  const { username, password } = settings;
  const client = createClient({
    socket: { ...socketOptions(settings), reconnectStrategy: false },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  });
  // Without a listener an error of the socket would end the process; the call that it breaks tells it.
  client.on('error', () => undefined);
  const close = () => {
    if (client.isOpen) void client.disconnect().catch(() => undefined);
  };
  try {
    await client.connect();
    // Only an administrator is answered.
    if (password !== undefined) await client.sendCommand(['ACL', 'USERS']);
  } catch (error) {
    close();
    throw error;
  }
  return { ask: (...command) => client.sendCommand(command), close };
}

/** Users whose keys are those of a service of their name, and that service is not among `kept`. */
async function usersGone(ask: Ask, kept: ReadonlySet<string>): Promise<string[]> {
  const lines = (await ask('ACL', 'LIST')) as string[];
  return lines.flatMap((line) => {
    const [, name = '', ...rules] = line.split(' ');
    return rules.includes(`~${keysOf(name)}`) && !kept.has(name) ? [name] : [];
  });
}

async function save(ask: Ask): Promise<string[]> {
  try {
    await ask('ACL', 'SAVE');
    return [];
  } catch (error) {
    if (!(error as Error).message.includes('not configured to use an ACL file')) throw error;
    return [
      'Redis has no ACL file (its setting `aclfile`): users are gone when it restarts, and must be provisioned again',
    ];
  }
}
