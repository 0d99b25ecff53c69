import { createPrivateKey, createPublicKey, type JsonWebKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  Directory,
  discoveryPlatformSql,
  generateServiceKey,
  issueProvisionerToken,
  publishDirectory,
  publicKeyOf,
  ViaTokens,
} from '@gatehouse/discovery';
import { eventBusMigrations, eventBusPlatformSql } from '@gatehouse/event-bus';
import { GrantView, KeySet, RevocationView } from '@gatehouse/guards';
import {
  createService,
  newRequestContext,
  requestContext,
  type RunningService,
} from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';
import { provisionedDatabase, type ProvisionedDatabase } from '@gatehouse/persistence/testing';
import { CommandBus, type ICommand } from '@nestjs/cqrs';
import type { Type } from '@nestjs/common';

import { AuthModule } from '../../src/auth.module.ts';
import { authMigrations } from '../../src/migrations/auth.migrations.ts';
import { AuthzStandIn, IdentityStandIn, QUICK } from './stand-ins.ts';

const SERVICES = ['auth', 'identity', 'authz', 'gateway'];

/** Answers come at once, where a test does not ask otherwise. */
const AUTH_QUICK = {
  AUTH_ISSUER: 'http://gatehouse.test',
  AUTH_REGISTER_BEAT_MS: '0',
  PASSWORD_HASH_QUEUE: '500',
};

/** Auth on a real database with real discovery and event bus; Identity and Authz are stand-ins over real gRPC. */
export class AuthPlatform {
  readonly identity = new IdentityStandIn();
  readonly authz = new AuthzStandIn();
  readonly platformKey = generateServiceKey().privateKey;
  readonly instances: AuthInstance[] = [];
  private readonly gatewayKey = generateServiceKey();
  database!: ProvisionedDatabase;

  static async start(): Promise<AuthPlatform> {
    const platform = new AuthPlatform();
    platform.database = await provisionedDatabase({
      services: {
        auth: [...eventBusMigrations, ...authMigrations],
        identity: eventBusMigrations,
        authz: null,
        gateway: null,
      },
      platformSql: [...discoveryPlatformSql, ...eventBusPlatformSql],
    });
    const services = SERVICES.map((name) => {
      const { privateKey, publicKey } =
        name === 'gateway' ? platform.gatewayKey : generateServiceKey();
      const folder = platform.database.credentialsDir(name);
      writeFileSync(join(folder, 'service-key'), privateKey, { mode: 0o600 });
      writeFileSync(join(folder, 'trust-anchor'), publicKeyOf(platform.platformKey));
      return { name, prefixes: [`/v1/${name}`], namespace: name, publicKey };
    });
    await publishDirectory({
      adminUrl: platform.database.adminUrl,
      services,
      platformPrivateKey: platform.platformKey,
    });
    await platform.identity.start(platform.env('identity'));
    await platform.authz.start(platform.env('authz'));
    return platform;
  }

  env(service: string): Record<string, string> {
    return { ...QUICK, GATEHOUSE_CREDENTIALS_DIR: this.database.credentialsDir(service) };
  }

  authEnv(more: Record<string, string> = {}): Record<string, string> {
    return { ...this.env('auth'), ...AUTH_QUICK, ...more };
  }

  async auth(env: Record<string, string> = {}): Promise<AuthInstance> {
    const service = await createService(AuthModule, {
      env: this.authEnv(env),
      packageDir: fileURLToPath(new URL('../..', import.meta.url)),
    });
    const instance = new AuthInstance(service);
    this.instances.push(instance);
    await instance.get(KeySet).whenReady();
    await instance.get(RevocationView).whenReady();
    await instance.get(GrantView).whenReady();
    return instance;
  }

  provisionerToken(): Promise<string> {
    return issueProvisionerToken(this.platformKey, 'auth');
  }

  /** `Gatehouse-Via` of another service to Auth. */
  via(service: 'identity' | 'authz'): Promise<string> {
    const { app } = this[service].service;
    return Promise.resolve(app.get(ViaTokens, { strict: false }).issue('auth'));
  }

  /** What the gateway adds to the request of a client at that address; it has counted it already. */
  async throughGateway(clientIp = '203.0.113.1'): Promise<Record<string, string>> {
    const key = createPrivateKey(this.gatewayKey.privateKey);
    const directory = this.identity.service.app.get(Directory, { strict: false });
    const via = new ViaTokens('gateway', key, directory, createPublicKey(this.platformKey));
    return { 'gatehouse-via': await via.issue('auth'), 'x-forwarded-for': clientIp };
  }

  async stop(): Promise<void> {
    for (const instance of this.instances) await instance.service.stop();
    await this.identity.service.stop();
    await this.authz.service.stop();
    await this.database.drop();
  }
}

export class AuthInstance {
  constructor(readonly service: RunningService) {}

  get<T>(type: Type<T> | (abstract new (...args: never[]) => T)): T {
    return this.service.app.get<T>(type, { strict: false });
  }

  query<R = Record<string, unknown>>(sql: string, parameters: unknown[] = []): Promise<R[]> {
    return this.get(Database).query<R>(sql, parameters);
  }

  /** Runs a command as a request from an address would. */
  execute<R>(command: ICommand, clientIp = '203.0.113.1'): Promise<R> {
    return requestContext.run(newRequestContext({ clientIp }), () =>
      this.get(CommandBus).execute<ICommand, R>(command),
    );
  }

  async post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.fetch('POST', path, body, headers);
  }

  async fetch(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const form = body instanceof URLSearchParams;
    const answer = await fetch(`${this.service.httpUrl}${path}`, {
      method,
      headers: {
        ...(body === undefined || form ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as AnswerBody,
    };
  }
}

export interface Answer {
  status: number;
  headers: Headers;
  body: AnswerBody;
}

/** What the answers of Auth hold, one or the other: a test reads what it expects. */
export interface AnswerBody {
  id: string;
  client_id: string;
  client_secret: string;
  name: string;
  access_token: string;
  refresh_token: string;
  session_id: string;
  code: string;
  error: string;
  items: { id: string; current?: boolean }[];
  keys: [JsonWebKey & { kid: string }];
}

export const bearer = (token: string): Record<string, string> => ({
  authorization: `Bearer ${token}`,
});
