import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineSet, type EngineSet, eventually } from '@gatehouse/testing';
import { grantConsulAccess } from '../consul/consul.access.ts';
import { ConsulClient, type ConsulOptions } from '../consul/consul.client.ts';

const settings = fileURLToPath(
  new URL('../../../../docker/engines/consul/acl.hcl', import.meta.url),
);
/** Twice an agent stands still for up to two seconds before it syncs: for its server, and for its new token. */
const SETTLED_MS = 4_000;
const agentRules = 'node_prefix "" { policy = "write" } service_prefix "" { policy = "read" }';

/** A real Consul of a test's own that lets nobody do anything without a token. */
export class SecuredConsul {
  private readonly tokens = new Map<string, string>();
  private readonly managementToken = randomUUID();
  readonly admin: ConsulClient;

  private constructor(readonly set: EngineSet) {
    this.admin = new ConsulClient(this.adminOptions);
  }

  /** With a token for each of `services`. */
  static async start(services: readonly string[]): Promise<SecuredConsul> {
    const consul = new SecuredConsul(
      await engineSet(['consul'], { settings: { CONSUL_CONF_EXTRA: settings } }),
    );
    for (const service of services) consul.tokens.set(service, randomUUID());
    await consul.provision();
    return consul;
  }

  get address(): string {
    return `http://127.0.0.1:${this.set.ports.consul}`;
  }

  get adminOptions(): ConsulOptions {
    return { address: this.address, token: this.managementToken };
  }

  tokenOf(service: string): string {
    const token = this.tokens.get(service);
    if (token === undefined) throw new Error(`no token was made for ${service}`);
    return token;
  }

  optionsOf(service: string): ConsulOptions {
    return { address: this.address, token: this.tokenOf(service) };
  }

  /** As if its disk had been replaced: empty, ACLs made anew, with the same tokens. */
  async loseData(): Promise<void> {
    await this.set.wipe('consul');
    await this.set.start('consul');
    await this.provision();
  }

  /** Everything that is registered, gone at once. */
  async deregisterAll(): Promise<void> {
    const { text } = await this.admin.request('GET', '/v1/agent/services');
    for (const id of Object.keys(JSON.parse(text) as object))
      await this.admin.request('PUT', `/v1/agent/service/deregister/${encodeURIComponent(id)}`);
    await eventually(async () => {
      const left = await this.admin.request('GET', '/v1/health/state/any', {
        query: { filter: 'ServiceName != ""' },
      });
      expect(JSON.parse(left.text)).toEqual([]);
    });
  }

  async end(): Promise<void> {
    await this.admin.close();
    await this.set.end();
  }

  /** What an operator does with a new Consul. */
  private async provision(): Promise<void> {
    await eventually(
      () =>
        this.admin.request('PUT', '/v1/acl/bootstrap', {
          body: { BootstrapSecret: this.managementToken },
        }),
      { timeoutMs: 10_000 },
    );
    const policy = await this.admin.request('PUT', '/v1/acl/policy', {
      body: { Name: 'agent', Rules: agentRules },
    });
    const { ID } = JSON.parse(policy.text) as { ID: string };
    const token = await this.admin.request('PUT', '/v1/acl/token', {
      body: { Policies: [{ ID }] },
    });
    const { SecretID } = JSON.parse(token.text) as { SecretID: string };
    await this.admin.request('PUT', '/v1/agent/token/agent', { body: { Token: SecretID } });
    for (const [service, secret] of this.tokens)
      await grantConsulAccess(this.admin, service, secret);
    await sleep(SETTLED_MS);
  }
}
