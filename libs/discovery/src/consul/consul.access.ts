import { z } from 'zod';
import type { ConsulClient } from './consul.client.ts';
import { DIRECTORY_KEY } from './consul-registry.store.ts';

/**
 * The least that a service's token needs, as rules of Consul's ACL: it writes instances of its own name, sees everybody's,
 * and reads the directory, which only the provisioner's token may write.
 */
export function consulRulesOf(service: string): string {
  return [
    `service "${service}" { policy = "write" }`,
    'service_prefix "" { policy = "read" }',
    'node_prefix "" { policy = "read" }',
    `key "${DIRECTORY_KEY}" { policy = "read" }`,
  ].join('\n');
}

const named = z.object({ ID: z.string() });
const tokenSchema = z.object({ Policies: z.array(z.object({ ID: z.string() })).nullish() });

/**
 * Gives `secret` (a UUID) as token the rights of `service`. Idempotent, and so what mends a Consul that lost its data.
 * @param client with a token that may write ACLs
 * @throws ConsulError where it may not, or ACLs are off
 */
export async function grantConsulAccess(
  client: ConsulClient,
  service: string,
  secret: string,
): Promise<void> {
  const name = `gatehouse-${service}`;
  const found = await client.request('GET', `/v1/acl/policy/name/${name}`, { allow: [404] });
  const policy = {
    Name: name,
    Description: `What service ${service} of Gatehouse may do`,
    Rules: consulRulesOf(service),
  };
  const { ID } =
    found.status === 404
      ? named.parse(
          JSON.parse((await client.request('PUT', '/v1/acl/policy', { body: policy })).text),
        )
      : named.parse(JSON.parse(found.text));
  if (found.status !== 404)
    await client.request('PUT', `/v1/acl/policy/${ID}`, { body: { ...policy, ID } });
  if (await hasPolicy(client, secret, ID)) return;
  await client.request('PUT', '/v1/acl/token', {
    body: { SecretID: secret, Description: `service ${service}`, Policies: [{ ID }] },
  });
}

/** Asked with the token itself: Consul finds a token by its secret for its owner only. */
async function hasPolicy(client: ConsulClient, secret: string, policy: string): Promise<boolean> {
  const { status, text } = await client.request('GET', '/v1/acl/token/self', {
    token: secret,
    allow: [403, 404],
  });
  if (status !== 200) return false;
  return tokenSchema.parse(JSON.parse(text)).Policies?.some(({ ID }) => ID === policy) === true;
}
