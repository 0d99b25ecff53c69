import { randomUUID } from 'node:crypto';
import { awaitEngine } from '@gatehouse/kernel';
import {
  ConsulClient,
  type ConsulConfig,
  consulOptionsOf,
  consulRefusal,
  grantConsulAccess,
} from '@gatehouse/discovery';
import { z } from 'zod';
import type { EnginePlan, EngineReport } from '../engine-plan.ts';
import { keepCredential, writeCredential } from '../write-credential.ts';

/** A policy of ours is called so, and the name of its service follows. */
const PREFIX = 'gatehouse-';

const Policies = z.array(z.object({ ID: z.string(), Name: z.string() }));
const Own = z.object({ AccessorID: z.string() });
const Tokens = z.array(
  z.object({
    AccessorID: z.string(),
    Policies: z.array(z.object({ ID: z.string() })).nullish(),
  }),
);

/**
 * A policy and a token for each service, where an administrator's token is given. A token of an existing file is kept, and
 * made again where Consul has lost it. The policies of services that are gone, and their tokens, are removed.
 * @throws EngineUnusable where Consul does not answer in time, or refuses this token
 */
export async function provisionConsul(
  config: ConsulConfig,
  { services, folderOf, withinMs, rotate }: EnginePlan,
): Promise<EngineReport> {
  const client = await openConsul(config, withinMs);
  try {
    if (config.CONSUL_HTTP_TOKEN === undefined) {
      return {
        engine: 'Consul',
        notes: [
          'no tokens were made (CONSUL_HTTP_TOKEN is not set): every client may register what it likes, and entries are verified nevertheless',
        ],
      };
    }
    for (const { name } of services) {
      const folder = folderOf(name);
      // Granted before it is in the file: whoever reads it may use it at once.
      const token = rotate
        ? randomUUID()
        : await keepCredential(folder, 'consul-http-token', randomUUID);
      await grantConsulAccess(client, name, token);
      if (rotate) await writeCredential(folder, 'consul-http-token', token);
      else await removeEarlier(client, name, token);
    }
    const gone = await removeOthers(client, new Set(services.map(({ name }) => PREFIX + name)));
    return {
      engine: 'Consul',
      notes: [
        ...(rotate
          ? [
              'earlier tokens stay good, since an agent keeps the one that an instance registered with: run `provision` again after an hour, which removes them',
            ]
          : []),
        ...gone.map((name) => `revoked what ${name} had: there is no such service any more`),
      ],
    };
  } finally {
    await client.close();
  }
}

/**
 * A connection that may administer tokens, where one is given.
 * @throws EngineUnusable
 */
export async function openConsul(config: ConsulConfig, withinMs: number): Promise<ConsulClient> {
  const options = consulOptionsOf(config);
  const client = new ConsulClient(options);
  try {
    await awaitEngine(() => ask(client, options.token !== undefined), {
      engine: 'Consul',
      variable: 'CONSUL_HTTP_ADDR',
      address: options.address,
      withinMs,
      refusal: consulRefusal,
    });
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** What only who may administer ACLs is answered; without a token, whether a leader is there. */
async function ask(client: ConsulClient, asAdministrator: boolean): Promise<void> {
  await client.request('GET', asAdministrator ? '/v1/acl/policies' : '/v1/status/leader');
}

/** Tokens that a rotation replaced: those of this service alone, but for the one in its file. */
async function removeEarlier(client: ConsulClient, service: string, token: string): Promise<void> {
  const own = Own.parse(
    JSON.parse((await client.request('GET', '/v1/acl/token/self', { token })).text),
  );
  const found = await client.request('GET', `/v1/acl/policy/name/${PREFIX}${service}`);
  const { ID } = Policies.element.parse(JSON.parse(found.text));
  for (const { AccessorID, Policies: held } of Tokens.parse(
    await read(client, '/v1/acl/tokens', { policy: ID }),
  )) {
    if (AccessorID === own.AccessorID || held?.length !== 1) continue;
    await client.request('DELETE', `/v1/acl/token/${AccessorID}`);
  }
}

/** @returns the services whose policies and tokens were removed */
async function removeOthers(client: ConsulClient, kept: ReadonlySet<string>): Promise<string[]> {
  const policies = Policies.parse(await read(client, '/v1/acl/policies'));
  const gone = policies.filter(({ Name }) => Name.startsWith(PREFIX) && !kept.has(Name));
  for (const { ID } of gone) {
    const tokens = Tokens.parse(await read(client, '/v1/acl/tokens', { policy: ID }));
    for (const { AccessorID, Policies: held } of tokens) {
      // A token that has other policies too is an operator's own: it loses this one with the policy.
      if (held?.length === 1) await client.request('DELETE', `/v1/acl/token/${AccessorID}`);
    }
    await client.request('DELETE', `/v1/acl/policy/${ID}`);
  }
  return gone.map(({ Name }) => Name.slice(PREFIX.length));
}

async function read(
  client: ConsulClient,
  path: string,
  query: Record<string, string> = {},
): Promise<unknown> {
  const { text } = await client.request('GET', path, { query });
  return JSON.parse(text) as unknown;
}
