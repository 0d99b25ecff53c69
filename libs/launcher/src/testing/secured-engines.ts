import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Engine, engineSet, type EngineSet, eventually } from '@gatehouse/testing';
import { EngineTls } from './engine-tls.ts';

const configuration = fileURLToPath(new URL('../../../../docker/engines/', import.meta.url));

/** Real engines with the configuration of docker/engines: nobody may do anything without a name. */
export interface SecuredEngines {
  set: EngineSet;
  /** What an administrator has in the environment. */
  env: Record<string, string>;
  end(): Promise<void>;
}

/**
 * PostgreSQL, which always asks who it is, may be among them. With `tls`, the environment names addresses where TLS alone is
 * spoken, and the authority that vouches for them.
 */
export async function securedEngines(
  engines: readonly Engine[] = ['kafka', 'consul', 'redis'],
  { tls: wanted = false } = {},
): Promise<SecuredEngines> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-secured-'));
  const tls = wanted ? await EngineTls.make() : undefined;
  // Redis writes to it.
  const users = join(folder, 'users.acl');
  await copyFile(join(configuration, 'redis', 'users.acl'), users);
  const acl = await readFile(join(configuration, 'consul', 'acl.hcl'), 'utf8');
  const consul = join(folder, 'consul.hcl');
  const set = await engineSet(engines, {
    settings: {
      KAFKA_CONF_EXTRA: join(
        configuration,
        'kafka',
        tls ? 'sasl-tls.properties' : 'sasl.properties',
      ),
      KAFKA_FORMAT_EXTRA: '--add-scram SCRAM-SHA-512=[name=admin,password=admin-secret]',
      CONSUL_CONF_EXTRA: consul,
      ...tls?.kafkaSettings,
    },
    settingsOf: (ports) => {
      writeFileSync(consul, acl + (tls?.consulSettings(ports) ?? ''));
      return { REDIS_ARGS_EXTRA: `--aclfile ${users} ${tls?.redisArguments(ports) ?? ''}` };
    },
  });
  const token = randomUUID();
  const credentials: Partial<Record<Engine, Record<string, string>>> = {
    kafka: {
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_USERNAME: 'admin',
      KAFKA_PASSWORD: 'admin-secret',
    },
    consul: { CONSUL_HTTP_TOKEN: token },
    redis: { REDIS_USERNAME: 'admin', REDIS_PASSWORD: 'admin' },
  };
  if (engines.includes('consul')) await openConsulToTokens(set.env.CONSUL_HTTP_ADDR ?? '', token);
  const over = tls === undefined ? {} : await tls.turnOn(set, engines);
  return {
    set,
    env: Object.assign(
      set.env,
      ...engines.map((engine) => ({ ...credentials[engine], ...over[engine] })),
    ) as Record<string, string>,
    async end() {
      await set.end();
      await Promise.all([rm(folder, { recursive: true, force: true }), tls?.remove()]);
    },
  };
}

/** What an operator does once with a new Consul: its first token, which may do everything, and the agent's own. */
async function openConsulToTokens(address: string, token: string): Promise<void> {
  const put = async (path: string, body: object) => {
    const headers = { 'x-consul-token': token };
    const answer = await fetch(address + path, {
      method: 'PUT',
      headers,
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return answer.text();
  };
  await eventually(() => put('/v1/acl/bootstrap', { BootstrapSecret: token }), {
    timeoutMs: 20_000,
    intervalMs: 200,
  });
  await put('/v1/acl/policy', { Name: 'agent', Rules: AGENT_RULES });
  const made = await put('/v1/acl/token', { Policies: [{ Name: 'agent' }] });
  const { SecretID } = JSON.parse(made) as { SecretID: string };
  await put('/v1/agent/token/agent', { Token: SecretID });
}

const AGENT_RULES = 'node_prefix "" { policy = "write" } service_prefix "" { policy = "read" }';
