import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, type EngineSet, requireTls, TestAuthority } from '@gatehouse/testing';

type Ports = EngineSet['ports'];

/** TLS for each engine of a set, with one authority and one certificate. Clients need none of their own. */
export class EngineTls {
  private constructor(
    private readonly authority: TestAuthority,
    private readonly certificate: Awaited<ReturnType<TestAuthority['issue']>>,
    private readonly keystore: string,
  ) {}

  static async make(): Promise<EngineTls> {
    const authority = await TestAuthority.make();
    const certificate = await authority.issue('engine');
    const keystore = join(authority.folder, 'keystore.pem');
    await writeFile(keystore, certificate.key + certificate.cert);
    return new EngineTls(authority, certificate, keystore);
  }

  /** For docker/engines/kafka/sasl-tls.properties. */
  get kafkaSettings(): Record<string, string> {
    return {
      GATEHOUSE_KAFKA_KEYSTORE: this.keystore,
      GATEHOUSE_KAFKA_TRUSTSTORE: this.authority.caFile,
    };
  }

  /** Beside plain HTTP, by which the set asks whether Consul is up. */
  consulSettings(ports: Ports): string {
    return [
      `ports { https = ${consulTls(ports)} }`,
      'tls { defaults {',
      `  ca_file   = "${this.authority.caFile}"`,
      `  cert_file = "${this.certificate.certFile}"`,
      `  key_file  = "${this.certificate.keyFile}"`,
      '} }',
    ].join('\n');
  }

  /** Beside plain text, by which the set asks whether Redis is up. */
  redisArguments(ports: Ports): string {
    return [
      `--tls-port ${redisTls(ports)} --tls-auth-clients no`,
      `--tls-ca-cert-file ${this.authority.caFile}`,
      `--tls-cert-file ${this.certificate.certFile} --tls-key-file ${this.certificate.keyFile}`,
    ].join(' ');
  }

  /** PostgreSQL's, which is switched while it runs; and what the environment of a client then is, by engine. */
  async turnOn(
    { env, ports }: EngineSet,
    engines: readonly Engine[],
  ): Promise<Partial<Record<Engine, Record<string, string>>>> {
    const { ca } = this.authority;
    const url = new URL(env.DATABASE_URL ?? 'postgres://none');
    if (engines.includes('postgres')) await requireTls(url.href, this.certificate);
    url.searchParams.set('sslmode', 'verify-full');
    return {
      kafka: { KAFKA_TLS: 'on', KAFKA_TLS_CA: ca },
      consul: {
        CONSUL_HTTP_ADDR: `https://127.0.0.1:${consulTls(ports)}`,
        CONSUL_TLS_CA: ca,
      },
      redis: { REDIS_URL: `rediss://127.0.0.1:${redisTls(ports)}`, REDIS_TLS_CA: ca },
      postgres: { DATABASE_URL: url.href, DATABASE_TLS_CA: ca },
    };
  }

  async remove(): Promise<void> {
    await this.authority.remove();
  }
}

// The ports that a set keeps for it.
const consulTls = (ports: Ports) => ports.consul + 3;
const redisTls = (ports: Ports) => ports.redis + 1;
